"""The one list of properties: first the seven of the literature's table, then what else bears on biology."""

from apical.audit.base import Property
from apical.audit.continuous_time import CONTINUOUS_TIME
from apical.audit.credit_reaches import CREDIT_REACHES
from apical.audit.dendritic_integration import DENDRITIC_INTEGRATION
from apical.audit.exact_gradients import EXACT_GRADIENTS
from apical.audit.explicit_error import EXPLICIT_ERROR
from apical.audit.feedback_activity import FEEDBACK_ACTIVITY
from apical.audit.global_error import GLOBAL_ERROR
from apical.audit.locality import LOCALITY
from apical.audit.phases import PHASES
from apical.audit.separate_pathways import SEPARATE_PATHWAYS
from apical.audit.separate_weights import SEPARATE_WEIGHTS
from apical.audit.signed_error import SIGNED_ERROR
from apical.audit.spikes import SPIKES
from apical.audit.stabilisation import STABILISATION
from apical.audit.transposes import TRANSPOSES
from apical.audit.weight_transport import WEIGHT_TRANSPORT

LITERATURE = (
    EXACT_GRADIENTS,
    WEIGHT_TRANSPORT,
    SEPARATE_PATHWAYS,
    DENDRITIC_INTEGRATION,
    SEPARATE_WEIGHTS,
    STABILISATION,
    EXPLICIT_ERROR,
)
PROPERTIES: tuple[Property, ...] = (
    *LITERATURE,
    TRANSPOSES,
    SIGNED_ERROR,
    GLOBAL_ERROR,
    LOCALITY,
    FEEDBACK_ACTIVITY,
    PHASES,
    CREDIT_REACHES,
    SPIKES,
    CONTINUOUS_TIME,
)
