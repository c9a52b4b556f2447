"""Target propagation and difference target propagation: the last hidden layer's target is a step down the loss."""

from typing import ClassVar

from jaxtyping import Array

from apical.core import Weights
from apical.hyperparameters import real
from apical.networks.feedforward import Trace
from apical.networks.layers import send_back
from apical.rules.layer_targets import AbstractLayerTargets


class AbstractSteppedTargets(AbstractLayerTargets):
    """Somewhere a target is a gradient step away."""

    target_step: Array = real(
        1.0,
        "length of the step down the loss that gives the first target",
        low=0,
        open_low=True,
        scale="log",
        source="Lee 2015",
        search={"own": (0.01, 2.0)},
    )


class AbstractGradientTargets(AbstractSteppedTargets):
    """The target of the last hidden layer is a gradient step away: hhat = h - target_step dLoss/dh, per example."""

    def top_target(self, weights: Weights, trace: Trace, error: Array) -> Array:
        h, layer = trace.inputs[-1], weights.forward[-1].layer
        return h - self.target_step * len(h) * send_back(layer, layer.kernel, h, error)


class TargetPropagation(AbstractGradientTargets):
    """Target propagation: what a layer should have been is the learnt inverse of what the layer above should have been.

    hhat_{L-1} = h_{L-1} - target_step dLoss/dh_{L-1}, then hhat_l = g_{l+1}(hhat_{l+1}) (Le Cun 1986; Bengio 2014,
    eqs. 5-7). Where an inverse is not exact its error is taken for a target: layers learn even where the output makes
    no error.

    @incollection{lecun1986,
      title = {Learning process in an asymmetric threshold network},
      author = {Le Cun, Yann},
      booktitle = {Disordered Systems and Biological Organization}, pages = {233--240}, publisher = {Springer},
      year = {1986}
    }

    @misc{bengio2014,
      title = {How auto-encoders could provide credit assignment in deep networks via target propagation},
      author = {Bengio, Yoshua},
      howpublished = {arXiv:1407.7906}, year = {2014}
    }
    """

    name: ClassVar = "target-propagation"
    silent: ClassVar = False

    def target_below(self, weights: Weights, trace: Trace, l: int, target: Array) -> Array:
        return self.invert(weights, l, target, trace.inputs[l])


class DifferenceTargetPropagation(AbstractGradientTargets):
    """Difference target propagation: the error of the inverse itself is taken off the target.

    hhat_{L-1} = h_{L-1} - target_step dLoss/dh_{L-1}, then hhat_l = h_l + g_{l+1}(hhat_{l+1}) - g_{l+1}(h_{l+1})
    (Lee 2015, eqs. 13-15): a layer whose upper neighbour is as it should be has itself for a target.

    @inproceedings{lee2015,
      title = {Difference target propagation},
      author = {Lee, Dong-Hyun and Zhang, Saizheng and Fischer, Asja and Bengio, Yoshua},
      booktitle = {Machine Learning and Knowledge Discovery in Databases}, pages = {498--515}, year = {2015}
    }
    """

    name: ClassVar = "difference-target-propagation"
