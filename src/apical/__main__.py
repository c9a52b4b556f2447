"""`python -m apical` is the command `apical`."""

import sys

from apical.cli.main import main

sys.exit(main())
