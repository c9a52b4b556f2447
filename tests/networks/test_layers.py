"""Layers, pools and normalisation against straightforward NumPy, and initial weights against their stated laws."""

from collections.abc import Iterator

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from scipy import stats

from apical.core import Weights
from apical.networks.blocks import BatchNorm, Statistics, max_pool, remember, statistics_of
from apical.networks.convolution import FEW_CHANNELS, convolve, extent
from apical.networks.feedforward import CNN, MLP
from apical.networks.initialisers import INITIALISERS
from apical.networks.layers import Conv, Dense, Local, as_matrix, pull, send_back


@pytest.fixture(scope="module", autouse=True)
def double() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def drawn(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng([seed, *shape]).normal(size=shape)


def slow(h: np.ndarray, kernel: np.ndarray, stride: int, padding: int, local: bool) -> np.ndarray:
    """A convolution, or a locally connected layer with a kernel for each position, by loops over everything."""
    h = np.pad(h, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    height, width = kernel.shape[2:4] if local else kernel.shape[:2]
    rows, columns = (h.shape[1] - height) // stride + 1, (h.shape[2] - width) // stride + 1
    out = np.zeros((len(h), rows, columns, kernel.shape[-1]))
    for i in range(rows):
        for j in range(columns):
            patch = h[:, i * stride : i * stride + height, j * stride : j * stride + width]
            own = kernel[i, j] if local else kernel
            out[:, i, j] = np.einsum("nhwc,hwca->na", patch, own)
    return out


GEOMETRIES = [(1, 0, 3), (1, 2, 5), (2, 1, 3), (3, 0, 2)]


@pytest.mark.parametrize("below", [2, FEW_CHANNELS])
@pytest.mark.parametrize(("stride", "padding", "size"), GEOMETRIES)
def test_convolution(stride: int, padding: int, size: int, below: int) -> None:
    """Both ways of computing it, and their derivatives against those of XLA's own convolution."""
    h, kernel, bias = drawn(3, 9, 8, below), drawn(size, size, below, 4), drawn(4)
    ours = Conv(jnp.asarray(kernel), jnp.asarray(bias), stride, padding)(jnp.asarray(h))
    np.testing.assert_allclose(ours, slow(h, kernel, stride, padding, False) + bias, atol=1e-12)
    around = ((padding, padding),) * 2
    names = ("NHWC", "HWIO", "NHWC")

    def reference(h: jax.Array, kernel: jax.Array) -> jax.Array:
        return jax.lax.conv_general_dilated(h, kernel, (stride, stride), around, dimension_numbers=names)

    error = jnp.asarray(drawn(*ours.shape, seed=1))
    found, expected = (
        jax.vjp(f, jnp.asarray(h), jnp.asarray(kernel))[1](error)
        for f in (lambda h, kernel: convolve(h, kernel, stride, padding), reference)
    )
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-11)


@pytest.mark.parametrize(("stride", "padding", "size"), GEOMETRIES)
def test_locally_connected(stride: int, padding: int, size: int) -> None:
    h = drawn(3, 9, 8, 2)
    rows, columns = extent(9, size, stride, padding), extent(8, size, stride, padding)
    kernel, bias = drawn(rows, columns, size, size, 2, 4), drawn(rows, columns, 4)
    flat = jnp.asarray(kernel.reshape(rows, columns, -1, 4))
    ours = Local(flat, jnp.asarray(bias), (size, size), stride, padding)(jnp.asarray(h))
    np.testing.assert_allclose(ours, slow(h, kernel, stride, padding, True) + bias, atol=1e-12)


def test_locally_connected_with_one_kernel_for_all_is_a_convolution() -> None:
    h, kernel = jnp.asarray(drawn(2, 6, 6, 3)), drawn(3, 3, 3, 4)
    shared = jnp.broadcast_to(jnp.asarray(kernel).reshape(1, 1, 27, 4), (4, 4, 27, 4))
    local = Local(shared, jnp.zeros((4, 4, 4)), (3, 3))
    np.testing.assert_allclose(local(h), Conv(jnp.asarray(kernel), jnp.zeros(4))(h), atol=1e-12)


LAYERS = {
    "dense": Dense(jnp.asarray(drawn(4, 6 * 6 * 2)), jnp.asarray(drawn(4))),
    "conv": Conv(jnp.asarray(drawn(3, 3, 2, 4)), jnp.asarray(drawn(4)), 2, 1),
    "local": Local(jnp.asarray(drawn(3, 3, 18, 4)), jnp.asarray(drawn(3, 3, 4)), (3, 3), 2, 1),
}


@pytest.mark.parametrize("name", LAYERS)
def test_plasticity_and_the_way_back_are_adjoint_to_the_layer(name: str) -> None:
    """<e, f(h)> is linear in kernel, bias and h, so each derivative is found by putting one in the layer's place."""
    layer = jax.tree.map(lambda a: a.astype(float), LAYERS[name])
    h = jnp.asarray(drawn(5, 6, 6, 2))
    error = jnp.asarray(drawn(*layer(h).shape, seed=1))
    learnt = pull(layer, h, error)
    assert jax.tree.structure(learnt) == jax.tree.structure(layer)
    both = sum(float(jnp.vdot(d, w)) for d, w in zip(jax.tree.leaves(learnt), jax.tree.leaves(layer), strict=True))
    assert both == pytest.approx(float(jnp.vdot(error, layer(h))), rel=1e-9)
    other = jnp.asarray(drawn(*layer.kernel.shape, seed=2))
    carried = send_back(layer, other, h, error)
    through = jax.tree_util.tree_map(jnp.zeros_like, layer.bias)
    replaced = type(layer)(**{**vars(layer), "kernel": other, "bias": through})
    assert carried.shape == h.shape
    assert float(jnp.vdot(carried, h)) == pytest.approx(float(jnp.vdot(error, replaced(h))), rel=1e-9)


@pytest.mark.parametrize("name", LAYERS)
def test_a_kernel_as_a_matrix_has_a_row_for_each_unit_above(name: str) -> None:
    layer = LAYERS[name]
    matrix = as_matrix(layer, layer.kernel)
    assert matrix.shape == (4, layer.kernel.size // 4)
    first = layer.kernel[0] if name == "dense" else layer.kernel[..., 0].ravel()
    np.testing.assert_array_equal(matrix[0], first)


@pytest.mark.parametrize(("rows", "columns", "side"), [(6, 6, 2), (7, 5, 2), (7, 8, 3)])
def test_max_pool_leaves_out_what_fills_no_field(rows: int, columns: int, side: int) -> None:
    h = drawn(2, rows, columns, 3)
    expected = np.zeros((2, rows // side, columns // side, 3))
    for i in range(rows // side):
        for j in range(columns // side):
            expected[:, i, j] = h[:, i * side : (i + 1) * side, j * side : (j + 1) * side].max((1, 2))
    np.testing.assert_array_equal(max_pool(jnp.asarray(h), side), expected)


def test_errors_pass_a_max_pool_to_the_first_of_the_largest_units() -> None:
    h, error = drawn(2, 5, 4, 3).round(1), drawn(2, 2, 2, 3, seed=1)
    h[0, :2, :2, 0] = 7.0
    expected = np.zeros_like(h)
    for n, i, j, c in np.ndindex(error.shape):
        field = h[n, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2, c]
        row, column = np.unravel_index(field.argmax(), field.shape)
        expected[n, 2 * i + row, 2 * j + column, c] = error[n, i, j, c]
    (found,) = jax.vjp(lambda h: max_pool(h, 2), jnp.asarray(h))[1](jnp.asarray(error))
    np.testing.assert_array_equal(found, expected)


def test_batch_norm_in_training_and_its_memory() -> None:
    norm = BatchNorm(jnp.asarray([2.0, 0.5, 1.0]), jnp.asarray([0.0, 1.0, -1.0]))
    running = Statistics(jnp.zeros(3), jnp.ones(3))
    mean, variance = np.zeros(3), np.ones(3)
    for seed in range(3):
        drive = 3 + 2 * drawn(4, 5, 5, 3, seed=seed)
        flat = drive.reshape(-1, 3)
        expected = (drive - flat.mean(0)) / np.sqrt(flat.var(0) + 1e-5) * norm.scale + norm.offset
        np.testing.assert_allclose(norm(jnp.asarray(drive), statistics_of(jnp.asarray(drive))), expected, atol=1e-12)
        running = remember(running, jnp.asarray(drive))
        mean, variance = 0.9 * mean + 0.1 * flat.mean(0), 0.9 * variance + 0.1 * flat.var(0, ddof=1)
    np.testing.assert_allclose(running.mean, mean, atol=1e-12)
    np.testing.assert_allclose(running.variance, variance, atol=1e-12)


def test_prediction_uses_the_running_statistics() -> None:
    """One example alone is predicted as in company: nothing of the batch is looked at."""
    net = CNN(shape=(8, 8, 1), classes=3, hidden=(), channels=(2,), kernels=(3,))
    forward, x = net.init(jr.key(0)), jnp.asarray(drawn(6, 8, 8, 1))
    neurons = net.remember(net.rest(x), net.trace(forward, x))
    together = net.predict(Weights(forward), neurons, x, jr.key(0))
    alone = jnp.concatenate([net.predict(Weights(forward), neurons, x[i : i + 1], jr.key(0)) for i in range(6)])
    np.testing.assert_allclose(together, alone, atol=1e-12)
    assert not np.allclose(together, net.apply(forward, x))


def test_sizes_of_langes_network() -> None:
    net = CNN(shape=(28, 28, 1), classes=10, hidden=())
    shapes = [block.kernel.shape for block in net.init(jr.key(0))]
    assert shapes == [(5, 5, 1, 16), (5, 5, 16, 32), (10, 7 * 7 * 32)]
    assert net.widths() == (14 * 14 * 16, 7 * 7 * 32)
    assert MLP(shape=(8, 8, 1), classes=10, hidden=(20, 30)).widths() == (20, 30)


LAWS = {
    "xavier": ("norm", 2 / 500),
    "glorot": ("uniform", 2 / 500),
    "kaiming": ("norm", 2 / 300),
    "lecun": ("norm", 1 / 300),
    "uniform": ("uniform", 1 / 900),
    "orthogonal": ("norm", 1 / 300),
}


@pytest.mark.parametrize("name", INITIALISERS)
def test_initial_weights_follow_their_law(name: str) -> None:
    """Kolmogorov-Smirnov at the level .001 against the law with the stated variance."""
    family, variance = LAWS[name]
    weights = np.asarray(INITIALISERS[name](jr.key(0), (200, 300), 300, 200)).ravel()
    width = np.sqrt(3 * variance)
    law = stats.norm(0, np.sqrt(variance)) if family == "norm" else stats.uniform(-width, 2 * width)
    assert stats.kstest(weights, law.cdf).pvalue > 1e-3
    assert weights.var() == pytest.approx(variance, rel=0.03)


@pytest.mark.parametrize(
    ("shape", "fans", "matrices"),
    [
        ((12, 30), (30, 12), (12, 30)),
        ((30, 12), (12, 30), (30, 12)),
        ((3, 3, 4, 8), (36, 72), (36, 8)),
        ((3, 3, 4, 8), (72, 36), (36, 8)),
        ((5, 6, 18, 7), (18, 63), (30, 18, 7)),
    ],
    ids=["narrowing", "widening", "convolution", "inverse of a convolution", "locally connected"],
)
def test_orthogonal_weights_keep_lengths_and_shared_ones_are_one_matrix(shape: tuple, fans: tuple, matrices: tuple):
    drawn = np.asarray(INITIALISERS["orthogonal"](jr.key(0), shape, *fans)).reshape(matrices)
    np.testing.assert_allclose(np.linalg.svd(drawn, compute_uv=False), 1.0, rtol=1e-5)
    if drawn.ndim == 3:
        assert not np.allclose(drawn[0], drawn[1])
