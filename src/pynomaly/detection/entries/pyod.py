"""The detectors of PyOD 3.6 for tables, as `pyod.<Name>`.

Names, parameters and defaults are PyOD's own, but for the names in `PYOD_NAMES`.
Left out: detectors of graphs, time series, text, images, sound and embeddings; DevNet and XGBOD, which learn
from labels; SUOD, which schedules other detectors and has none of its own. Of the parameters those are left
out that are objects, lists or callables, and those that the contract settles (the seed, threads, what is
printed, the share of anomalies).
"""

from dataclasses import dataclass, replace
from typing import Literal

from pynomaly.detection.entries.info import SCALING, AlgorithmInfo
from pynomaly.detection.parameters import Parameter

Scoring = Literal["rows", "pairs", "blocks", "beside"]

PYOD_NAMES = {"search": "algorithm", "solver": "algorithm"}
"""Parameters that have another name in PyOD: `Detector` has an argument `algorithm` of its own."""

MANY, SOME, FEW, HANDFUL = 20_000, 2_000, 200, 50
"""So many training rows a detector takes unless asked otherwise, by how its time grows with them."""


@dataclass(frozen=True)
class Peer:
    """One detector of PyOD.

    `scoring` says how it is asked, so that a score depends on the row and the model alone:
    - rows: one row at a time;
    - pairs: one row at a time, twice over, since PyOD stumbles over a single one;
    - blocks: many rows at a time, which gives the same bits;
    - beside: the detector scores whole tables only, so that each row is added to the training rows.
    `networks`: attributes that hold its trained networks, when skops cannot store it; None when it can.
    """

    name: str
    module: str
    summary: str
    parameters: tuple[Parameter, ...] = ()
    rows: int = MANY
    scoring: Scoring = "rows"
    torch: bool = False
    networks: tuple[str, ...] | None = None

    def info(self) -> AlgorithmInfo:
        """Make the catalogue's entry."""
        most = Parameter(
            "training_rows",
            "int",
            self.rows,
            "Rows that PyOD is trained on, at most: a random sample of more.",
            2,
            10_000_000,
        )
        return AlgorithmInfo(
            f"pyod.{self.name}",
            f"PyOD {self.name}",
            self.summary,
            "pynomaly.detection.algorithms.pyod_detectors",
            self.name,
            (*self.parameters, most, replace(SCALING, default="standard")),
            scaling="standard",
            tags={
                "speed": "slow",
                "memory": "medium",
                "explains": "approximation",
                "seeded": True,
            },
            extra="pyod,torch" if self.torch else "pyod",
        )


def _int(name: str, default: int | str, about: str, low: int = 1, high: int = 100_000) -> Parameter:
    words = () if isinstance(default, int) else (default,)
    return Parameter(name, "int", default, about, low, high, choices=words)


def _float(
    name: str, default: float | str, about: str, low: float | None = 0.0, high: float | None = None
) -> Parameter:
    words = () if isinstance(default, float) else (default,)
    return Parameter(name, "float", default, about, low, high, choices=words)


def _bool(name: str, default: bool, about: str) -> Parameter:
    return Parameter(name, "bool", default, about)


def _choice(name: str, default: str, about: str, *others: str) -> Parameter:
    return Parameter(name, "choice", default, about, choices=(default, *others))


NEIGHBORS = _int("n_neighbors", 20, "How many neighbours a row is compared with.", 1, 10_000)
SEARCH = _choice("search", "auto", "How neighbours are searched.", "ball_tree", "kd_tree", "brute")
LEAF = _int("leaf_size", 30, "Rows in a leaf of the search tree.")
METRIC = _choice("metric", "minkowski", "How distance is measured.", "euclidean", "manhattan", "chebyshev")
POWER = _float("p", 2.0, "Power of the minkowski distance.", 1.0, 100.0)
NEAREST = (SEARCH, LEAF, METRIC, POWER)
EPOCHS = _int("epochs", 100, "How often the rows are gone through.", 1, 10_000)
EPOCH_NUM = replace(EPOCHS, name="epoch_num")
STOP_EPOCHS = _int("stop_epochs", 20, "After so many epochs the generator stops learning.", 1, 10_000)
BATCH = _int("batch_size", 32, "Rows of one training step.")
RATE = _float("lr", 0.001, "Size of one training step.", 0.0, 1.0)
DROPOUT = _float("dropout_rate", 0.2, "Share of units dropped while training.", 0.0, 0.99)
PREPARE = _bool("preprocessing", True, "Standardise the columns once more.")
BATCH_NORM = _bool("batch_norm", True, "Normalise each layer's batch.")
DECAY = _float("weight_decay", 1e-5, "Pull of the weights towards zero.", 0.0, 1.0)
OPTIMIZER = _choice("optimizer_name", "adam", "How weights are moved.", "sgd")
MOMENTUM = _float("momentum", 0.9, "Momentum of the steps.", 0.0, 0.9999)
LR_D = _float("lr_d", 0.01, "Size of the discriminator's steps.", 0.0, 1.0)
LR_G = _float("lr_g", 0.0001, "Size of the generator's steps.", 0.0, 1.0)
LATENT = _int("latent_dim", 2, "Dimensions of the latent space.", 1, 1_000)
BINS = _int("n_bins", 10, "Bins of each histogram; auto: as many as fit it best.", 2, 10_000)
BINS_OR_AUTO = replace(BINS, choices=("auto",))
N_COMPONENTS = _int("n_components", "auto", "Components that are kept; auto: all.", 1, 10_000)
N_SELECTED = _int(
    "n_selected_components", "auto", "Components that the score is taken from; auto: all.", 1, 10_000
)
UNIT = _bool("use_weights", False, "Weigh a row by the size of its cluster.")
MAX_SAMPLES = Parameter(
    "max_samples",
    "count_or_share",
    "auto",
    "Rows that each member is made from: a count, a share of all rows, or auto.",
    2,
    choices=("auto",),
)


def _activation(name: str, default: str, about: str) -> Parameter:
    words = ("relu", "tanh", "sigmoid", "leaky_relu", "elu")
    return _choice(name, default, about, *(word for word in words if word != default))


PEERS = (
    Peer(
        "ABOD",
        "abod",
        "Rows that see all others in about one direction are anomalous (Kriegel et al. 2008).",
        (
            replace(NEIGHBORS, default=5),
            _choice("method", "fast", "Angles to neighbours only, or to all rows.", "default"),
            *NEAREST,
        ),
        rows=SOME,
    ),
    Peer(
        "CBLOF",
        "cblof",
        "Rows far from the large clusters are anomalous (He et al. 2003).",
        (
            _int("n_clusters", 8, "How many clusters.", 2, 1_000),
            _float("alpha", 0.9, "Share of the rows in large clusters.", 0.5, 1.0),
            _float("beta", 5.0, "How much larger large clusters are than small ones.", 1.0),
            UNIT,
        ),
    ),
    Peer(
        "CD",
        "cd",
        "Rows that change a linear regression of the columns much are anomalous (Cook 1977).",
        rows=SOME,
        scoring="beside",
    ),
    Peer(
        "COF",
        "cof",
        "Rows less connected than their neighbours are anomalous (Tang et al. 2002).",
        (NEIGHBORS, _choice("method", "fast", "Trade memory for time.", "memory")),
        rows=FEW,
        scoring="beside",
    ),
    Peer("COPOD", "copod", "Rows in the tails of an empirical copula are anomalous (Li et al. 2020)."),
    Peer("ECOD", "ecod", "Rows in the tails of the columns' distributions are anomalous (Li et al. 2022)."),
    Peer(
        "FeatureBagging",
        "feature_bagging",
        "Local outlier factors on random subsets of the columns (Lazarevic & Kumar 2005).",
        (
            _int("n_estimators", 10, "How many subsets.", 1, 1_000),
            _float("max_features", 1.0, "Share of the columns in a subset, at most.", 0.5, 1.0),
            _bool("bootstrap_features", False, "Draw columns with replacement."),
            _choice("combination", "average", "How the subsets' scores are joined.", "max"),
        ),
        rows=SOME,
    ),
    Peer(
        "GMM",
        "gmm",
        "Rows that a mixture of normal distributions makes unlikely are anomalous.",
        (
            _int("n_components", 1, "How many normal distributions.", 1, 1_000),
            _choice("covariance_type", "full", "Shape of the distributions.", "tied", "diag", "spherical"),
            _float("tol", 0.001, "When fitting stops.", 1e-12, 1.0),
            _float("reg_covar", 1e-6, "Added to each variance.", 0.0, 1.0),
            _int("max_iter", 100, "Steps of fitting, at most.", 1, 100_000),
            _int("n_init", 1, "Starts, of which the best is kept.", 1, 100),
            _choice(
                "init_params", "kmeans", "Where fitting starts.", "k-means++", "random", "random_from_data"
            ),
        ),
    ),
    Peer(
        "HBOS",
        "hbos",
        "Rows in thin bins of the columns' histograms are anomalous (Goldstein & Dengel 2012).",
        (
            BINS_OR_AUTO,
            _float("alpha", 0.1, "Added to each density.", 0.0, 1.0),
            _float("tol", 0.5, "How far outside a histogram still counts as its edge.", 0.0, 1.0),
        ),
    ),
    Peer(
        "HDBSCAN",
        "hdbscan",
        "Rows that belong to no dense cluster are anomalous (Campello et al. 2015).",
        (
            _int("min_cluster_size", 5, "Rows of the smallest cluster.", 2, 100_000),
            _int("min_samples", "auto", "Neighbours that make a core row; auto: min_cluster_size."),
            _choice("metric", "euclidean", "How distance is measured.", "manhattan", "chebyshev"),
            _float("alpha", 1.0, "Scale of distances in single linkage.", 1e-6),
            _choice("search", "auto", "How neighbours are searched.", "kd_tree", "ball_tree", "brute"),
            replace(LEAF, default=40),
        ),
    ),
    Peer(
        "IForest",
        "iforest",
        "Rows that random cuts set apart early are anomalous (Liu et al. 2008).",
        (
            _int("n_estimators", 100, "How many random trees.", 1, 10_000),
            MAX_SAMPLES,
            _float("max_features", 1.0, "Share of the columns that each tree may cut.", 0.01, 1.0),
            _bool("bootstrap", False, "Draw each tree's rows with replacement."),
        ),
        scoring="blocks",
    ),
    Peer(
        "INNE",
        "inne",
        "Rows outside spheres around sampled rows are anomalous (Bandaragoda et al. 2018).",
        (_int("n_estimators", 200, "How many samples.", 1, 10_000), MAX_SAMPLES),
    ),
    Peer(
        "KDE",
        "kde",
        "Rows where a kernel density estimate is low are anomalous (Latecki et al. 2007).",
        (
            _float("bandwidth", 1.0, "Width of the kernel, in scaled units.", 1e-6),
            replace(SEARCH, choices=("auto", "kd_tree", "ball_tree")),
            LEAF,
            METRIC,
        ),
        rows=SOME,
    ),
    Peer(
        "KNN",
        "knn",
        "Rows far from their neighbours are anomalous (Ramaswamy et al. 2000).",
        (
            replace(NEIGHBORS, default=5),
            _choice("method", "largest", "Which distance counts.", "mean", "median"),
            _float("radius", 1.0, "Unused by the score; kept by PyOD.", 0.0),
            *NEAREST,
        ),
    ),
    Peer(
        "KPCA",
        "kpca",
        "Rows that kernel principal components rebuild badly are anomalous (Hoffmann 2007).",
        (
            N_COMPONENTS,
            N_SELECTED,
            _choice("kernel", "rbf", "Kind of kernel.", "linear", "poly", "sigmoid", "cosine"),
            _float("gamma", "auto", "Reach of the kernel; auto: 1 / columns.", 1e-12),
            _int("degree", 3, "Degree of the poly kernel.", 1, 10),
            _float("coef0", 1.0, "Constant term of the kernel.", None),
            _float("alpha", 1.0, "Ridge of the inverse map.", 0.0),
            _choice("eigen_solver", "auto", "Solver.", "dense", "arpack", "randomized"),
            _float("tol", 0.0, "When arpack stops; 0: by itself.", 0.0, 1.0),
            _int("max_iter", "auto", "Steps of arpack, at most; auto: as it chooses."),
            _bool("remove_zero_eig", False, "Leave out components of zero variance."),
            _bool("sampling", False, "Learn from a random subset of the rows."),
            _int("subset_size", 20, "Rows of that subset.", 1, 100_000),
        ),
        rows=FEW * 2,
    ),
    Peer(
        "LMDD",
        "lmdd",
        "Rows whose removal makes the rest much more alike are anomalous (Arning et al. 1996).",
        (
            _int("n_iter", 50, "Random orders that are tried.", 1, 10_000),
            _choice("dis_measure", "aad", "How unlikeness is measured.", "var", "iqr"),
        ),
        rows=HANDFUL,
        scoring="beside",
        networks=(),
    ),
    Peer(
        "LOCI",
        "loci",
        "Rows whose surroundings differ at some scale from their neighbours' (Papadimitriou et al. 2003).",
        (
            _float("alpha", 0.5, "Share of the radius that counts as near.", 0.01, 1.0),
            _int("k", 3, "Deviations that end the search.", 1, 100),
        ),
        rows=HANDFUL,
        scoring="beside",
    ),
    Peer(
        "LODA",
        "loda",
        "Rows in thin bins of random projections are anomalous (Pevny 2016).",
        (BINS_OR_AUTO, _int("n_random_cuts", 100, "How many projections.", 1, 10_000)),
    ),
    Peer(
        "LOF",
        "lof",
        "Rows in thinner surroundings than their neighbours are anomalous (Breunig et al. 2000).",
        (NEIGHBORS, *NEAREST),
    ),
    Peer(
        "LSCP",
        "lscp",
        "Of several local outlier factors, those that fit a row's surroundings (Zhao et al. 2019).",
        (
            _int("local_region_size", 30, "Neighbours that make the surroundings.", 2, 10_000),
            _float("local_max_features", 1.0, "Share of the columns in a subset, at most.", 0.5, 1.0),
            replace(BINS, help="Bins of the members' agreement."),
        ),
        rows=SOME,
    ),
    Peer(
        "MAD",
        "mad",
        "Values far from the median are anomalous. For one column only (Iglewicz & Hoaglin 1993).",
        (_float("threshold", 3.5, "PyOD's own cut; our threshold is another.", 0.0),),
    ),
    Peer(
        "MCD",
        "mcd",
        "Rows far from a robust centre are anomalous (Rousseeuw & Van Driessen 1999).",
        (
            _bool("store_precision", True, "Keep the inverse covariance."),
            _bool("assume_centered", False, "Take the scaled columns' centre as the bulk's."),
            _float("support_fraction", "auto", "Share of the rows in the bulk; auto: about half.", 0.01, 1.0),
        ),
    ),
    Peer(
        "OCSVM",
        "ocsvm",
        "Rows outside a smooth border around most rows are anomalous (Schölkopf et al. 2001).",
        (
            _choice("kernel", "rbf", "Shape of the border.", "linear", "poly", "sigmoid"),
            _int("degree", 3, "Degree of the poly kernel.", 1, 10),
            replace(_float("gamma", "auto", "Reach of one row.", 1e-12), choices=("auto", "scale")),
            _float("coef0", 0.0, "Constant term of the kernel.", None),
            _float("tol", 0.001, "When the solver stops.", 1e-12, 1.0),
            _float("nu", 0.5, "Share of the rows outside, at most.", 0.001, 1.0),
            _bool("shrinking", True, "Let the solver set aside settled rows."),
        ),
        rows=SOME * 5,
        scoring="blocks",
    ),
    Peer(
        "PCA",
        "pca",
        "Rows far along minor principal components are anomalous (Shyu et al. 2003).",
        (
            N_COMPONENTS,
            N_SELECTED,
            _bool("whiten", False, "Scale the components."),
            _choice("svd_solver", "auto", "Solver.", "full", "randomized"),
            _float("tol", 0.0, "When arpack stops.", 0.0, 1.0),
            _int("iterated_power", "auto", "Power iterations of the randomized solver.", 0, 1_000),
            _bool("weighted", True, "Weigh the components by their variance."),
            _bool("standardization", True, "Standardise the columns once more."),
        ),
    ),
    Peer(
        "QMCD",
        "qmcd",
        "Rows that change the discrepancy from uniform most are anomalous (Fang & Ma 2001).",
        rows=SOME,
    ),
    Peer(
        "RGraph",
        "rgraph",
        "Rows that random walks on a graph of self-representation seldom reach (You et al. 2017).",
        (
            _int("transition_steps", 10, "Steps of the walk.", 1, 1_000),
            _int("n_nonzero", 10, "Rows that represent another, at most.", 1, 1_000),
            _float("gamma", 50.0, "Weight of the error.", 0.0),
            _bool("gamma_nz", True, "Scale gamma by the smallest one that gives a solution."),
            _choice("solver", "lasso_lars", "Solver.", "lasso_cd"),
            _float("tau", 1.0, "Share of the L1 penalty.", 0.0, 1.0),
            _int("maxiter_lasso", 1000, "Steps of the solver, at most.", 1, 100_000),
            PREPARE,
            _choice("support_init", "L2", "How the active set begins.", "knn"),
            _int("maxiter", 40, "Rounds of the active set, at most.", 1, 10_000),
            _int("support_size", 100, "Rows of the active set.", 1, 10_000),
            _bool("active_support", True, "Solve by active sets."),
            _bool("fit_intercept_LR", False, "Fit an intercept."),
        ),
        rows=HANDFUL,
    ),
    Peer(
        "ROD",
        "rod",
        "Rows at odd angles in three-dimensional subspaces are anomalous (Almardeny et al. 2020).",
        rows=FEW,
        scoring="beside",
    ),
    Peer(
        "Sampling",
        "sampling",
        "Rows far from a small random sample are anomalous (Sugiyama & Borgwardt 2013).",
        (_int("subset_size", 20, "Rows of the sample.", 1, 100_000), METRIC),
        scoring="blocks",
    ),
    Peer(
        "SOD",
        "sod",
        "Rows far from their neighbours in a subspace of the columns (Kriegel et al. 2009).",
        (
            NEIGHBORS,
            _int("ref_set", 10, "Neighbours that span the subspace.", 1, 10_000),
            _float("alpha", 0.8, "How small a variance belongs to the subspace.", 0.01, 1.0),
            *NEAREST,
        ),
        rows=FEW,
        scoring="beside",
    ),
    Peer(
        "SOS",
        "sos",
        "Rows that no other row would choose as a neighbour are anomalous (Janssens et al. 2012).",
        (
            _float("perplexity", 4.5, "Neighbours that a row chooses, about.", 1.0, 1_000.0),
            _choice("metric", "euclidean", "How distance is measured.", "cityblock", "chebyshev"),
            _float("eps", 1e-5, "How exactly the perplexity is met.", 1e-12, 1.0),
        ),
        rows=FEW,
        scoring="beside",
    ),
    Peer(
        "AE1SVM",
        "ae1svm",
        "An autoencoder with a one-class SVM on its middle layer (Nguyen & Vien 2019).",
        (
            _activation("hidden_activation", "relu", "What hidden units do."),
            BATCH_NORM,
            replace(RATE, name="learning_rate"),
            replace(EPOCHS, default=50),
            BATCH,
            DROPOUT,
            DECAY,
            PREPARE,
            _float("alpha", 1.0, "Weight of the SVM's loss.", 0.0),
            _float("sigma", 1.0, "Width of the kernel.", 1e-6),
            _float("nu", 0.1, "Share of the rows outside, at most.", 0.001, 1.0),
            _int("kernel_approx_features", 1000, "Random features of the kernel.", 1, 100_000),
        ),
        scoring="pairs",
        torch=True,
        networks=("model",),
    ),
    Peer(
        "ALAD",
        "alad",
        "An adversarially learned model of the rows in both directions (Zenati et al. 2018).",
        (
            _activation("activation_hidden_gen", "tanh", "What the generator's units do."),
            _activation("activation_hidden_disc", "tanh", "What the discriminators' units do."),
            DROPOUT,
            LATENT,
            replace(LR_G, name="learning_rate_gen"),
            replace(LR_D, name="learning_rate_disc", default=0.0001),
            _bool("add_recon_loss", False, "Add the error of rebuilding to the loss."),
            _float("lambda_recon_loss", 0.1, "Weight of that error.", 0.0),
            replace(EPOCHS, default=200),
            replace(PREPARE, default=False),
            _bool("add_disc_zz_loss", True, "Train a discriminator of the latent space."),
            _bool("spectral_normalization", False, "Bound the weights' spectral norm."),
            BATCH,
        ),
        torch=True,
        networks=("dec", "enc", "disc_xx", "disc_zz", "disc_xz"),
    ),
    Peer(
        "AnoGAN",
        "anogan",
        "Rows that a generative adversarial network cannot produce (Schlegl et al. 2017).",
        (
            _activation("activation_hidden", "tanh", "What hidden units do."),
            DROPOUT,
            replace(LATENT, name="latent_dim_G"),
            _int("index_D_layer_for_recon_error", 1, "Layer whose units are compared.", 0, 2),
            replace(EPOCHS, default=500),
            replace(PREPARE, default=False),
            replace(RATE, name="learning_rate"),
            replace(RATE, name="learning_rate_query", default=0.01),
            _int("epochs_query", 20, "Steps of the search for a row's twin.", 1, 10_000),
            BATCH,
        ),
        rows=SOME,
        torch=True,
        networks=("query_model",),
    ),
    Peer(
        "AutoEncoder",
        "auto_encoder",
        "Rows that a neural network cannot rebuild are anomalous (Aggarwal 2015).",
        (
            PREPARE,
            RATE,
            replace(EPOCH_NUM, default=10),
            BATCH,
            OPTIMIZER,
            _activation("hidden_activation_name", "relu", "What hidden units do."),
            BATCH_NORM,
            DROPOUT,
        ),
        torch=True,
        networks=("model",),
    ),
    Peer(
        "DeepSVDD",
        "deep_svdd",
        "Rows that a network maps far from one centre are anomalous (Ruff et al. 2018).",
        (
            _bool("use_ae", False, "Learn to rebuild the rows as well."),
            _activation("hidden_activation", "relu", "What hidden units do."),
            _activation("output_activation", "sigmoid", "What output units do."),
            _choice("optimizer", "adam", "How weights are moved.", "sgd"),
            EPOCHS,
            BATCH,
            DROPOUT,
            _float("l2_regularizer", 5e-7, "Pull of the weights towards zero.", 0.0, 1.0),
            _float("validation_size", 0.1, "Share of the rows held out.", 0.0, 0.9),
            PREPARE,
            replace(RATE, name="learning_rate", default=0.0001),
        ),
        torch=True,
        networks=("model_", "c_"),
    ),
    Peer(
        "DIF",
        "dif",
        "Isolation forests on random neural representations (Xu et al. 2023).",
        (
            replace(BATCH, default=1000),
            _int("representation_dim", 20, "Dimensions of a representation.", 1, 1_000),
            _activation("hidden_activation", "tanh", "What hidden units do."),
            _bool("skip_connection", False, "Pass layers by."),
            _int("n_ensemble", 50, "How many representations.", 1, 1_000),
            _int("n_estimators", 6, "Trees on each representation.", 1, 1_000),
            _int("max_samples", 256, "Rows of each tree.", 2, 100_000),
        ),
        rows=FEW,
        scoring="beside",
        torch=True,
        networks=("net_lst",),
    ),
    Peer(
        "LUNAR",
        "lunar",
        "A graph neural network on the distances to neighbours (Goodge et al. 2022).",
        (
            _choice("model_type", "WEIGHT", "What the network puts out.", "SCORE"),
            _int("n_neighbours", 5, "How many neighbours a row is compared with.", 1, 10_000),
            _choice("negative_sampling", "MIXED", "How false rows are drawn.", "UNIFORM", "SUBSPACE"),
            _float("val_size", 0.1, "Share of the rows held out.", 0.01, 0.9),
            _float("epsilon", 0.1, "Spread of false rows.", 1e-6),
            _float("proportion", 1.0, "False rows for each true one.", 0.01, 10.0),
            replace(EPOCHS, name="n_epochs", default=200),
            RATE,
            replace(DECAY, name="wd", default=0.1),
            *NEAREST,
        ),
        torch=True,
        networks=("network",),
    ),
    Peer(
        "MO_GAAL",
        "mo_gaal",
        "Generators learn to produce anomalies, a discriminator to tell them (Liu et al. 2019).",
        (
            _int("k", 10, "How many generators.", 1, 100),
            STOP_EPOCHS,
            LR_D,
            LR_G,
            MOMENTUM,
        ),
        rows=SOME,
        torch=True,
        networks=("discriminator",),
    ),
    Peer(
        "SO_GAAL",
        "so_gaal",
        "A generator learns to produce anomalies, a discriminator to tell them (Liu et al. 2019).",
        (STOP_EPOCHS, LR_D, LR_G, MOMENTUM),
        rows=SOME,
        torch=True,
        networks=("discriminator",),
    ),
    Peer(
        "VAE",
        "vae",
        "Rows that a variational autoencoder cannot rebuild are anomalous (Kingma & Welling 2013).",
        (
            PREPARE,
            RATE,
            replace(EPOCH_NUM, default=30),
            BATCH,
            OPTIMIZER,
            _float("beta", 1.0, "Weight of the latent space's prior.", 0.0),
            _float("capacity", 0.0, "Information that the latent space may hold.", 0.0),
            LATENT,
            _activation("hidden_activation_name", "relu", "What hidden units do."),
            replace(BATCH_NORM, default=False),
            DROPOUT,
        ),
        torch=True,
        networks=("model",),
    ),
)

BY_NAME = {peer.name: peer for peer in PEERS}
ENTRIES = tuple(peer.info() for peer in PEERS)
