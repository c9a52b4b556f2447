"""The public data sets: which files they consist of, the digests of what is in them, and where they are offered."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PublishedFile:
    """A file of a public data set; `md5` is that of its contents, uncompressed."""

    name: str
    md5: str


@dataclass(frozen=True)
class Published:
    """A public data set.

    Its files are looked for in `folder` under the data root: each by itself (also inside `unpacked`, and compressed
    with gzip), or all inside one of `archives`. `mirrors` are the addresses that offer the
    first archive, or the compressed files.
    """

    name: str
    folder: str
    files: tuple[PublishedFile, ...]
    mirrors: tuple[str, ...]
    classes: tuple[str, ...]
    archives: tuple[str, ...] = ()
    archive_md5: str = ""
    unpacked: str = ""


def _idx_files(*md5s: str) -> tuple[PublishedFile, ...]:
    names = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
    return tuple(PublishedFile(name, md5) for name, md5 in zip(names, md5s, strict=True))


MNIST = Published(
    name="mnist",
    folder="mnist",
    files=_idx_files(
        "6bbc9ace898e44ae57da46a324031adb",
        "a25bea736e30d166cdddb491f175f624",
        "2646ac647ad5339dbf082846283269ea",
        "27ae3e4e09519cfbb04c329615203637",
    ),
    mirrors=("https://ossci-datasets.s3.amazonaws.com/mnist", "https://storage.googleapis.com/cvdf-datasets/mnist"),
    classes=tuple("0123456789"),
)

FASHION_MNIST = Published(
    name="fashion-mnist",
    folder="fashion_mnist",
    files=_idx_files(
        "f4a8712d7a061bf5bd6d2ca38dc4d50a",
        "9018921c3c673c538a1fc5bad174d6f9",
        "8181f5470baa50b63fa0f6fddb340f0a",
        "15d484375f8d13e6eb1aabb0c3f46965",
    ),
    mirrors=("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",),
    classes=(
        "T-shirt/top",
        "trouser",
        "pullover",
        "dress",
        "coat",
        "sandal",
        "shirt",
        "sneaker",
        "bag",
        "ankle boot",
    ),
)

CIFAR10 = Published(
    name="cifar10",
    folder="cifar10",
    files=(
        PublishedFile("data_batch_1.bin", "5dd7e06a14cb22eb9f671a540d1b7c25"),
        PublishedFile("data_batch_2.bin", "5ea93a67294ea407fff1d09f752e9692"),
        PublishedFile("data_batch_3.bin", "942cd6a4bcdd0dd3c604fbe906cb4421"),
        PublishedFile("data_batch_4.bin", "ae636b3ba5c66a11e91e8cb52e771fcb"),
        PublishedFile("data_batch_5.bin", "53f37980c15c3d472c316c40844f3f0d"),
        PublishedFile("test_batch.bin", "803d5f7f4d78ea53de84dbe85f74fb6d"),
    ),
    mirrors=("https://www.cs.toronto.edu/~kriz",),
    classes=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
    archives=("cifar-10-binary.tar.gz", "cifar-10-binary.tar.xz", "cifar-10-binary.tar.bz2", "cifar-10-binary.tar"),
    archive_md5="c32a1d4ab5d03f1284b67883e8d87530",
    unpacked="cifar-10-batches-bin",
)
