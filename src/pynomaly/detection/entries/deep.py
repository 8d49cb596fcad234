"""Algorithms that train a neural network; each needs an optional extra to be trained."""

from dataclasses import replace

from pynomaly.detection.entries.info import SCALING, AlgorithmInfo
from pynomaly.detection.parameters import Parameter

_PARAMETERS = (
    Parameter(
        "hidden_size",
        "int",
        "auto",
        "Units of the first hidden layer; each further one has half as many. auto: 64.",
        1,
        1_024,
        choices=("auto",),
    ),
    Parameter("n_layers", "int", 2, "Hidden layers before the bottleneck, and after it.", 1, 4),
    Parameter(
        "bottleneck",
        "int",
        "auto",
        "Units of the layer that a row is squeezed through; auto: half of the columns.",
        1,
        1_024,
        choices=("auto",),
    ),
    Parameter("activation", "choice", "tanh", "What hidden units do.", choices=("tanh", "relu")),
    Parameter(
        "dropout",
        "float",
        0.2,
        "Share of the values hidden from the network while it trains; it learns to fill them in.",
        0.0,
        1.0,
        exclusive_maximum=True,
    ),
    Parameter("epochs", "int", 100, "How often the rows are gone through, at most.", 1, 10_000),
    Parameter("batch_size", "int", 64, "Rows of one training step.", 1, 65_536),
    Parameter(
        "learning_rate", "float", 0.003, "Size of one training step.", 0.0, 1.0, exclusive_minimum=True
    ),
    Parameter(
        "patience",
        "int",
        10,
        "Training stops when the rows held out got no better for so many epochs; 0: never early.",
        0,
        10_000,
    ),
    Parameter(
        "max_samples",
        "count_or_share",
        "auto",
        "Rows that the network is trained on: a count, a share of all rows, or auto (at most 50,000).",
        2,
        choices=("auto",),
    ),
    replace(SCALING, default="standard"),
)

ENTRIES = (
    AlgorithmInfo(
        "autoencoder",
        "Autoencoder",
        "Rows that a small neural network cannot rebuild are anomalous. Finds broken relations of columns.",
        "pynomaly.detection.algorithms.autoencoder",
        "Autoencoder",
        _PARAMETERS,
        scaling="standard",
        presets={"quick": {"epochs": 25}, "thorough": {"epochs": 400, "patience": 30}},
        tags={"speed": "slow", "memory": "low", "explains": "exact", "seeded": True},
        extra="torch",
    ),
    AlgorithmInfo(
        "keras_autoencoder",
        "Autoencoder (Keras)",
        "The same network, trained by Keras on TensorFlow.",
        "pynomaly.detection.algorithms.keras_autoencoder",
        "KerasAutoencoder",
        _PARAMETERS,
        scaling="standard",
        presets={"quick": {"epochs": 25}, "thorough": {"epochs": 400, "patience": 30}},
        tags={"speed": "slow", "memory": "low", "explains": "exact", "seeded": True},
        extra="tensorflow",
    ),
)
