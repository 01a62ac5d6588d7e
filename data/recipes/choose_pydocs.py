"""Write ``data/pydocs.toml`` (the list of names) and ``data/pydocs_manifest.jsonl`` from the installed packages.

    python data/recipes/choose_pydocs.py                       # with the pinned packages: both files
    python data/recipes/choose_pydocs.py --standard-library    # with another Python: adds its hashes to the manifest

The second form needs no third-party package: run it with Python 3.12 and 3.13 after the first, so that the docstrings
of each supported Python count as known. Names were chosen by hand for what people ask in real tasks; this script
checks them, drops what is too short or depends on the machine, and merges names that share one docstring.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections import defaultdict
from pathlib import Path

DATA = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(DATA.parent))

from labkit.corpus.docstrings import parse  # noqa: E402
from labkit.corpus.resolve import docstring, resolve, short_signature, words_hash  # noqa: E402

LEAST_WORDS = 10  # shorter ones say no more than their name
MACHINE = re.compile(r"on this platform|site-packages|/home/[a-z]|/Users/|Linux x86")

CHOICES = {
    "numpy": {
        "numpy": """
            unique sort argsort lexsort searchsorted partition where nonzero flatnonzero argwhere count_nonzero isin
            intersect1d union1d setdiff1d setxor1d unique_values array asarray frombuffer fromfile fromiter fromfunction
            arange linspace logspace geomspace meshgrid zeros ones empty full ones_like eye diag diagflat tri tril triu
            vander copy loadtxt genfromtxt savetxt save savez savez_compressed load reshape ravel resize transpose
            moveaxis swapaxes expand_dims squeeze atleast_1d broadcast_to broadcast_arrays concatenate stack vstack
            hstack dstack column_stack block split array_split hsplit tile repeat append insert delete trim_zeros flip
            roll rot90 pad take take_along_axis put_along_axis select compress diagonal fill_diagonal ix_
            ravel_multi_index unravel_index triu_indices sum prod cumsum cumprod nansum mean median average std var
            percentile quantile nanmean nanmedian nanstd nanvar nanmax nanargmax nanpercentile min max argmin argmax
            maximum clip diff gradient cross trapezoid interp histogram histogram2d histogram_bin_edges bincount
            digitize cov corrcoef correlate convolve dot vdot inner outer matmul tensordot einsum kron trace add
            subtract multiply divide power sign sqrt square exp log log2 log1p cos arctan arctan2 hypot deg2rad sinc
            floor ceil round gcd lcm isnan isinf isfinite isclose allclose array_equal nan_to_num all any logical_and
            logical_not bitwise_and packbits binary_repr greater equal vectorize apply_along_axis piecewise ndenumerate
            polyfit polyval roots poly1d unwrap angle dtype finfo iinfo can_cast result_type issubdtype may_share_memory
            errstate set_printoptions printoptions busday_count datetime64 timedelta64 hanning ndarray abs minimum
            vsplit dsplit flipud fliplr argpartition zeros_like tan nanmin unstack
        """,
        "numpy.ndarray": "astype sort fill flatten tolist tofile item resize flat",
        "numpy.linalg": "norm inv pinv det solve lstsq eig eigh svd qr cholesky matrix_rank matrix_power cond slogdet",
        "numpy.fft": "fft ifft rfft fftfreq rfftfreq fftshift",
        "numpy.random": "default_rng rand randint",
        "numpy.random.Generator": """
            choice integers random permutation permuted shuffle normal uniform binomial poisson exponential gamma beta
            multinomial multivariate_normal lognormal
        """,
        "numpy.ma": "MaskedArray masked_where masked_invalid masked_equal filled",
        "numpy.strings": "find replace strip upper count endswith zfill slice lower startswith",
        "numpy.lib.stride_tricks": "sliding_window_view as_strided",
        "numpy.lib.recfunctions": "append_fields structured_to_unstructured",
        "numpy.polynomial.Polynomial": "fit fromroots roots",
        "numpy.testing": "assert_allclose assert_array_equal",
    },
    "scipy": {
        "scipy.spatial.distance": """
            cdist pdist squareform euclidean cityblock cosine correlation hamming jaccard jensenshannon mahalanobis
            minkowski chebyshev sqeuclidean directed_hausdorff braycurtis canberra dice
        """,
        "scipy.spatial": "KDTree ConvexHull Delaunay Voronoi distance_matrix procrustes",
        "scipy.spatial.KDTree": "query query_ball_point query_pairs",
        "scipy.spatial.transform": "Rotation Slerp",
        "scipy.spatial.transform.Rotation": "from_euler from_quat as_euler apply",
        "scipy.cluster.hierarchy": "linkage fcluster dendrogram cut_tree cophenet optimal_leaf_ordering",
        "scipy.cluster.vq": "kmeans vq whiten",
        "scipy.fft": "fft ifft dct next_fast_len",
        "scipy.integrate": "quad dblquad solve_ivp simpson trapezoid cumulative_trapezoid odeint",
        "scipy.interpolate": """
            interp1d CubicSpline PchipInterpolator UnivariateSpline make_interp_spline make_smoothing_spline splrep
            BSpline griddata RegularGridInterpolator RBFInterpolator LinearNDInterpolator lagrange
        """,
        "scipy.io": "loadmat savemat mmread",
        "scipy.io.wavfile": "read write",
        "scipy.linalg": """
            solve solve_triangular lstsq pinv eigh svd lu lu_factor cholesky cho_solve expm null_space orth block_diag
            toeplitz orthogonal_procrustes inv det eig norm
        """,
        "scipy.ndimage": """
            gaussian_filter median_filter sobel rotate zoom map_coordinates label center_of_mass binary_dilation
            binary_erosion binary_fill_holes distance_transform_edt
        """,
        "scipy.optimize": """
            minimize minimize_scalar curve_fit least_squares nnls root_scalar brentq bisect fsolve linprog milp
            linear_sum_assignment differential_evolution brute approx_fprime Bounds LinearConstraint
        """,
        "scipy.signal": """
            butter firwin filtfilt sosfilt savgol_filter medfilt convolve fftconvolve correlate find_peaks
            peak_prominences welch spectrogram stft hilbert envelope detrend decimate resample resample_poly get_window
            chirp square iirnotch
        """,
        "scipy.sparse": """
            csr_array csc_array coo_array lil_array diags_array block_diag hstack vstack random_array save_npz load_npz
            issparse
        """,
        "scipy.sparse.csr_array": "toarray argmax eliminate_zeros",
        "scipy.sparse.linalg": "spsolve splu cg gmres svds",
        "scipy.sparse.csgraph": """
            shortest_path dijkstra minimum_spanning_tree connected_components breadth_first_order maximum_flow
            maximum_bipartite_matching
        """,
        "scipy.special": """
            expit logit softmax log_softmax logsumexp gamma beta erf comb perm factorial kl_div xlogy ndtr gammaln erfc
            entr
        """,
        "scipy.stats": """
            ttest_1samp ttest_ind ttest_rel mannwhitneyu wilcoxon kruskal f_oneway tukey_hsd levene shapiro normaltest
            kstest ks_2samp chisquare chi2_contingency fisher_exact binomtest pearsonr spearmanr kendalltau linregress
            bootstrap permutation_test false_discovery_control describe skew kurtosis mode sem zscore iqr
            median_abs_deviation gmean trim_mean entropy wasserstein_distance rankdata percentileofscore
            binned_statistic probplot boxcox gaussian_kde circmean multivariate_normal norm t chi2 expon poisson binom
            uniform lognorm rv_continuous ortho_group moment hmean theilslopes ecdf ttest_ind_from_stats
        """,
        "scipy.stats.contingency": "crosstab association relative_risk",
        "scipy.stats.qmc": "Sobol LatinHypercube scale",
        "scipy.constants": "convert_temperature",
    },
    "pandas": {
        "pandas": """
            DataFrame Series Index MultiIndex DatetimeIndex Categorical Timestamp Timedelta Period Interval Grouper
            NamedAgg StringDtype melt wide_to_long pivot pivot_table crosstab get_dummies merge merge_asof concat cut
            qcut factorize unique isna notna to_datetime to_timedelta to_numeric date_range json_normalize read_csv
            read_fwf read_excel read_json read_html read_parquet read_feather read_pickle read_clipboard ExcelWriter
            option_context set_option get_option IndexSlice bdate_range period_range CategoricalDtype merge_ordered
        """,
        "pandas.DataFrame": """
            abs add add_prefix agg all any apply asfreq assign astype between_time bfill clip combine_first
            convert_dtypes copy corr corrwith count cumsum describe diff drop drop_duplicates dropna duplicated ewm
            expanding explode ffill fillna filter from_dict groupby head iat idxmax iloc info insert interpolate isin
            isna iterrows itertuples join loc map max mean median melt merge mode nlargest nsmallest nunique pct_change
            pipe pivot pivot_table pop quantile query rank reindex rename rename_axis replace resample reset_index
            rolling round sample select_dtypes set_index shift sort_index sort_values stack std sum tail to_csv to_dict
            to_excel to_json to_markdown to_numpy to_parquet to_string transform transpose tz_convert unstack update
            value_counts values where xs plot var mask hist boxplot eval squeeze to_pickle get at skew kurt min mul sub
            div cummax cov combine
        """,
        "pandas.Series": """
            apply argmax autocorr between case_when drop_duplicates dt duplicated explode factorize isin map nunique
            rename repeat sort_values str to_dict to_frame to_list unique value_counts is_monotonic_increasing dropna
            corr unstack round idxmax searchsorted cov to_string reset_index
        """,
        "pandas.Series.str": """
            cat contains count extract extractall isdigit join len match pad removeprefix repeat replace slice split
            startswith strip zfill find findall lower rsplit get fullmatch rfind normalize
        """,
        "pandas.Series.dt": """
            round strftime tz_convert day_name to_period total_seconds isocalendar date days hour is_month_end
            month_name
        """,
        "pandas.Series.cat": "add_categories rename_categories reorder_categories remove_unused_categories",
        "pandas.Index": """
            difference drop_duplicates get_level_values get_loc intersection set_names symmetric_difference union drop
            append insert isin to_frame sort_values join where
        """,
        "pandas.MultiIndex": "from_arrays from_frame from_product from_tuples to_flat_index",
        "pandas.DatetimeIndex": "indexer_between_time",
        "pandas.Timestamp": """
            floor round strftime strptime timestamp tz_convert fromtimestamp isoformat to_pydatetime normalize day_name
            replace to_period now
        """,
        "pandas.Timedelta": "total_seconds components floor",
        "pandas.Period": "asfreq to_timestamp",
        "pandas.Interval": "overlaps",
        "pandas.api.typing.DataFrameGroupBy": """
            agg apply transform filter first nth head size mean sum nunique idxmax cumcount cumsum rank shift pct_change
            quantile sample get_group value_counts median std count last diff ngroup
        """,
        "pandas.api.typing.SeriesGroupBy": "nlargest nunique",
        "pandas.api.typing.Rolling": "mean std min quantile apply agg corr sum median count",
        "pandas.api.typing.ExponentialMovingWindow": "mean",
        "pandas.api.typing.Resampler": "asfreq ffill nearest interpolate ohlc mean",
        "pandas.DataFrame.plot": "area bar density hist pie scatter",
        "pandas.plotting": "scatter_matrix autocorrelation_plot parallel_coordinates",
        "pandas.io.formats.style.Styler": "map format hide highlight_max background_gradient",
        "pandas.tseries.offsets": "BusinessDay MonthEnd QuarterEnd Week CustomBusinessDay",
        "pandas.api.types": "infer_dtype is_numeric_dtype is_string_dtype",
        "pandas.testing": "assert_frame_equal",
    },
    "scikit-learn": {
        "sklearn": "clone",
        "sklearn.metrics": """
            pairwise_distances pairwise_distances_argmin pairwise_distances_argmin_min pairwise_distances_chunked
            euclidean_distances accuracy_score balanced_accuracy_score top_k_accuracy_score precision_score recall_score
            f1_score precision_recall_curve average_precision_score roc_auc_score roc_curve auc confusion_matrix
            classification_report cohen_kappa_score matthews_corrcoef jaccard_score log_loss brier_score_loss
            zero_one_loss ndcg_score label_ranking_average_precision_score mean_absolute_error mean_squared_error
            root_mean_squared_error mean_squared_log_error mean_absolute_percentage_error median_absolute_error r2_score
            silhouette_score silhouette_samples davies_bouldin_score calinski_harabasz_score adjusted_rand_score
            adjusted_mutual_info_score normalized_mutual_info_score homogeneity_score make_scorer ConfusionMatrixDisplay
            RocCurveDisplay hamming_loss mutual_info_score max_error multilabel_confusion_matrix completeness_score
        """,
        "sklearn.metrics.pairwise": """
            paired_distances paired_euclidean_distances paired_manhattan_distances paired_cosine_distances
            cosine_similarity cosine_distances manhattan_distances haversine_distances rbf_kernel linear_kernel
        """,
        "sklearn.model_selection": """
            train_test_split KFold StratifiedKFold GroupKFold StratifiedGroupKFold RepeatedStratifiedKFold ShuffleSplit
            StratifiedShuffleSplit GroupShuffleSplit LeaveOneOut LeaveOneGroupOut TimeSeriesSplit cross_val_score
            cross_validate cross_val_predict learning_curve GridSearchCV RandomizedSearchCV ParameterGrid RepeatedKFold
            LeavePOut PredefinedSplit
        """,
        "sklearn.model_selection.StratifiedKFold": "split",
        "sklearn.model_selection.TimeSeriesSplit": "split",
        "sklearn.model_selection.GroupKFold": "split",
        "sklearn.preprocessing": """
            StandardScaler MinMaxScaler RobustScaler Normalizer KBinsDiscretizer OneHotEncoder OrdinalEncoder
            LabelEncoder LabelBinarizer MultiLabelBinarizer PolynomialFeatures PowerTransformer FunctionTransformer
            normalize label_binarize MaxAbsScaler scale Binarizer
        """,
        "sklearn.impute": "SimpleImputer KNNImputer",
        "sklearn.compose": "ColumnTransformer make_column_selector",
        "sklearn.pipeline": "Pipeline FeatureUnion make_pipeline",
        "sklearn.pipeline.Pipeline": "fit set_output",
        "sklearn.feature_extraction": "DictVectorizer",
        "sklearn.feature_extraction.text": "CountVectorizer TfidfVectorizer",
        "sklearn.feature_selection": """
            SelectKBest SelectFromModel RFE SequentialFeatureSelector VarianceThreshold chi2 f_classif
            mutual_info_classif
        """,
        "sklearn.decomposition": "PCA TruncatedSVD NMF FastICA LatentDirichletAllocation",
        "sklearn.manifold": "TSNE Isomap",
        "sklearn.cluster": """
            KMeans DBSCAN AgglomerativeClustering AffinityPropagation estimate_bandwidth kmeans_plusplus MeanShift
        """,
        "sklearn.mixture": "GaussianMixture",
        "sklearn.neighbors": """
            KNeighborsClassifier NearestNeighbors NearestCentroid KernelDensity LocalOutlierFactor KNeighborsRegressor
            kneighbors_graph
        """,
        "sklearn.linear_model": """
            LinearRegression Ridge Lasso LassoCV LogisticRegression HuberRegressor QuantileRegressor PoissonRegressor
            ElasticNet
        """,
        "sklearn.svm": "SVC LinearSVC OneClassSVM SVR",
        "sklearn.tree": "DecisionTreeClassifier export_text plot_tree",
        "sklearn.ensemble": """
            RandomForestClassifier HistGradientBoostingClassifier AdaBoostClassifier StackingClassifier VotingClassifier
            IsolationForest
        """,
        "sklearn.ensemble.RandomForestClassifier": "predict_proba apply decision_path feature_importances_ score",
        "sklearn.naive_bayes": "GaussianNB MultinomialNB BernoulliNB",
        "sklearn.neural_network": "MLPClassifier",
        "sklearn.gaussian_process": "GaussianProcessRegressor",
        "sklearn.discriminant_analysis": "LinearDiscriminantAnalysis",
        "sklearn.calibration": "calibration_curve",
        "sklearn.covariance": "EllipticEnvelope LedoitWolf",
        "sklearn.cross_decomposition": "PLSRegression",
        "sklearn.kernel_approximation": "Nystroem",
        "sklearn.isotonic": "IsotonicRegression",
        "sklearn.multiclass": "OneVsRestClassifier OneVsOneClassifier",
        "sklearn.multioutput": "MultiOutputClassifier",
        "sklearn.semi_supervised": "LabelPropagation",
        "sklearn.dummy": "DummyClassifier",
        "sklearn.inspection": "permutation_importance",
        "sklearn.datasets": """
            load_iris load_breast_cancer load_files make_classification make_regression make_blobs make_moons
            fetch_california_housing fetch_20newsgroups load_digits load_wine make_circles
        """,
        "sklearn.utils": "resample shuffle Bunch",
        "sklearn.utils.class_weight": "compute_class_weight compute_sample_weight",
        "sklearn.random_projection": "GaussianRandomProjection",
    },
    "matplotlib": {
        "matplotlib.pyplot": """
            plot scatter bar bar_label hist boxplot pie errorbar fill fill_between stackplot stem contour imshow
            pcolormesh table text annotate axhline axvline axline vlines title suptitle xlabel ylabel xlim ylim xticks
            yticks xscale yscale legend grid colorbar tick_params ticklabel_format subplot subplots subplot2grid
            subplots_adjust tight_layout figure close gca gcf savefig show pause imread twinx semilogy polar get_cmap
            rc_context barh violinplot step hlines loglog semilogx axhspan arrow xkcd setp hist2d
        """,
        "matplotlib.axes.Axes": """
            set_xlim set_xticklabels set_aspect set_axis_off set_position inset_axes secondary_xaxis twinx invert_xaxis
            set_axisbelow get_legend_handles_labels label_outer invert_yaxis set_xticks twiny
        """,
        "matplotlib.figure.Figure": """
            add_subplot add_axes add_gridspec subfigures set_size_inches autofmt_xdate align_xlabels
        """,
        "matplotlib.axis.Axis": "set_major_formatter set_major_locator",
        "matplotlib.ticker": "PercentFormatter EngFormatter FuncFormatter ScalarFormatter MaxNLocator MultipleLocator",
        "matplotlib.dates": "ConciseDateFormatter DateFormatter AutoDateLocator date2num num2date",
        "matplotlib.colors": """
            ListedColormap LinearSegmentedColormap BoundaryNorm Normalize PowerNorm to_rgba rgb_to_hsv
        """,
        "matplotlib.animation": "FuncAnimation",
        "matplotlib.animation.Animation": "save to_html5_video",
        "matplotlib.patches": "FancyArrowPatch",
        "matplotlib.gridspec": "GridSpec",
        "matplotlib": "use rc",
        "matplotlib.lines": "Line2D",
    },
    "torch": {
        "torch": """
            cat stack chunk split unbind vstack column_stack tensor as_tensor from_numpy zeros ones full zeros_like rand
            randn randint randperm arange linspace eye bernoulli multinomial manual_seed where gather index_select
            masked_select take_along_dim nonzero select unsqueeze squeeze reshape flatten permute transpose t flip roll
            tile repeat_interleave broadcast_to meshgrid sum mean mode var prod max min amax argmax argmin argsort sort
            msort topk any cumsum cumprod logsumexp quantile bincount unique unique_consecutive count_nonzero cdist
            pdist cosine_similarity diff matmul mm bmm dot einsum cross diag diagonal tril triu add mul div exp log abs
            clamp lerp maximum minimum searchsorted isclose isin isnan save load no_grad enable_grad inference_mode
            compile set_default_device autocast is_floating_point clone set_num_threads sparse_coo_tensor tensor_split
            std median round pow sqrt outer bucketize allclose numel hstack floor nan_to_num tensordot dist qr
        """,
        "torch.Tensor": """
            view expand repeat contiguous to item tolist numpy detach backward requires_grad_ scatter_ scatter_add_
            index_add_ masked_fill_ copy_ unfold cuda size register_hook cpu stride grad permute reshape
        """,
        "torch.nn.functional": """
            pad one_hot interpolate softmax gumbel_softmax cross_entropy normalize scaled_dot_product_attention relu
            pixel_shuffle
        """,
        "torch.nn": """
            Module Sequential ModuleList Parameter Linear Embedding Conv1d Conv2d MaxPool2d AdaptiveAvgPool2d
            BatchNorm1d LayerNorm Dropout Dropout2d ReLU GELU Softmax LSTM GRU Transformer MultiheadAttention
            CrossEntropyLoss NLLLoss BCEWithLogitsLoss MSELoss HuberLoss KLDivLoss TripletMarginLoss CosineSimilarity
            PairwiseDistance Flatten ZeroPad2d ModuleDict LeakyReLU BCELoss L1Loss TransformerEncoder Upsample ELU
        """,
        "torch.nn.Module": """
            register_buffer register_forward_hook load_state_dict state_dict parameters apply to eval zero_grad modules
        """,
        "torch.nn.init": "xavier_uniform_ kaiming_uniform_ orthogonal_ constant_",
        "torch.nn.utils": "clip_grad_norm_ parameters_to_vector",
        "torch.nn.utils.rnn": "pad_sequence pack_padded_sequence",
        "torch.nn.utils.parametrizations": "weight_norm",
        "torch.nn.utils.prune": "l1_unstructured",
        "torch.optim": "SGD Adam AdamW",
        "torch.optim.Optimizer": "step zero_grad add_param_group",
        "torch.optim.lr_scheduler": "StepLR CosineAnnealingLR ReduceLROnPlateau LambdaLR",
        "torch.utils.data": """
            Dataset DataLoader TensorDataset Subset random_split default_collate WeightedRandomSampler
        """,
        "torch.linalg": "norm inv pinv det solve svd matrix_rank eig eigh qr cholesky vector_norm",
        "torch.fft": "fft",
        "torch.autograd": "grad",
        "torch.autograd.functional": "jacobian",
        "torch.cuda": "is_available synchronize memory_allocated empty_cache manual_seed_all",
    },
    "python": {
        "": """
            sorted min max sum zip map filter enumerate range open print input isinstance getattr hasattr iter next int
            float str bytes list dict set property compile eval reversed round divmod pow issubclass setattr classmethod
            staticmethod tuple
        """,
        "str": """
            split rsplit splitlines join strip partition replace find rfind count startswith endswith encode translate
            maketrans capitalize casefold zfill removeprefix isidentifier isdigit isalpha lstrip rstrip title center
            rindex rpartition islower format_map
        """,
        "bytes": "split decode hex fromhex",
        "list": "sort pop remove index",
        "dict": "setdefault pop popitem fromkeys get",
        "set": "symmetric_difference pop intersection union difference update",
        "int": "to_bytes from_bytes bit_count",
        "float": "as_integer_ratio",
        "re": "search match fullmatch split sub subn findall",
        "datetime": "datetime timedelta time",
        "datetime.datetime": "strptime fromisoformat isoformat combine astimezone now",
        "datetime.date": "fromisoformat isocalendar weekday toordinal",
        "time": "time sleep strftime strptime mktime localtime gmtime process_time",
        "calendar": "monthrange monthcalendar",
        "zoneinfo": "available_timezones",
        "pathlib": "Path PurePath",
        "pathlib.Path": """
            glob rglob read_text write_text read_bytes unlink rename replace resolve touch iterdir samefile symlink_to
            absolute stat hardlink_to open is_file
        """,
        "pathlib.PurePath": "with_suffix relative_to joinpath suffix is_relative_to as_posix",
        "collections": "Counter defaultdict deque ChainMap",
        "collections.Counter": "most_common update subtract",
        "collections.OrderedDict": "move_to_end",
        "collections.deque": "rotate",
        "itertools": """
            accumulate chain combinations groupby islice pairwise permutations product takewhile zip_longest cycle count
            compress filterfalse dropwhile starmap
        """,
        "functools": "reduce lru_cache wraps singledispatch",
        "random": """
            sample choices randint randrange uniform gauss normalvariate seed triangular expovariate betavariate
        """,
        "math": """
            isclose dist hypot comb perm factorial floor fsum prod isqrt log remainder atan2 modf copysign ceil trunc
            isfinite frexp
        """,
        "statistics": """
            mean fmean median median_grouped mode multimode stdev variance quantiles correlation linear_regression
            harmonic_mean geometric_mean pvariance covariance pstdev
        """,
        "statistics.NormalDist": "overlap inv_cdf",
        "json": "dump dumps load loads JSONEncoder JSONDecoder",
        "json.JSONEncoder": "default",
        "csv": "reader writer Sniffer register_dialect",
        "textwrap": "fill wrap dedent indent shorten TextWrapper",
        "string": "capwords",
        "os": """
            walk scandir listdir makedirs mkdir remove renames rmdir stat symlink getenv chmod replace rename access
            cpu_count get_terminal_size
        """,
        "os.path": "join split splitext exists realpath commonpath expanduser samefile commonprefix",
        "shutil": """
            copy copy2 copytree move rmtree make_archive unpack_archive disk_usage which copyfile ignore_patterns
        """,
        "glob": "glob",
        "fnmatch": "fnmatch filter translate",
        "subprocess": "run Popen check_output",
        "subprocess.Popen": "communicate",
        "threading": "Thread Timer Event Lock Semaphore Condition Barrier",
        "threading.Thread": "join",
        "threading.Event": "wait",
        "queue": "Queue PriorityQueue LifoQueue",
        "queue.Queue": "get",
        "concurrent.futures": "as_completed wait",
        "concurrent.futures.Executor": "submit map",
        "concurrent.futures.Future": "result",
        "multiprocessing.pool.Pool": "map",
        "asyncio": "run gather wait_for create_task to_thread timeout Queue Semaphore as_completed Lock",
        "logging": "basicConfig getLogger Formatter Logger LoggerAdapter Filter",
        "logging.Logger": "setLevel",
        "logging.handlers": "RotatingFileHandler",
        "argparse": "ArgumentParser ArgumentDefaultsHelpFormatter",
        "urllib.request": "urlopen urlretrieve",
        "urllib.parse": "urlparse urljoin urlencode quote unquote parse_qs urlsplit quote_plus urlunparse",
        "http.server": "SimpleHTTPRequestHandler",
        "socket": "create_connection getaddrinfo",
        "smtplib": "SMTP",
        "smtplib.SMTP": "sendmail login",
        "email.message": "Message",
        "hashlib": "file_digest",
        "hmac": "compare_digest new",
        "secrets": "token_hex token_urlsafe",
        "base64": "b64encode b64decode urlsafe_b64encode urlsafe_b64decode b85encode",
        "binascii": "hexlify",
        "struct": "pack unpack iter_unpack unpack_from",
        "pickle": "dump dumps load loads",
        "shelve": "open",
        "copy": "copy deepcopy",
        "heapq": "heappop nlargest nsmallest merge heapreplace heappushpop",
        "bisect": "bisect_left insort bisect_right",
        "operator": "itemgetter attrgetter methodcaller",
        "contextlib": "contextmanager suppress closing nullcontext redirect_stdout ExitStack",
        "dataclasses": "dataclass field asdict replace",
        "enum": "Enum",
        "typing": "NamedTuple TypedDict get_type_hints overload",
        "abc": "ABCMeta",
        "inspect": "getsource getdoc getmembers cleandoc",
        "traceback": "format_exception format_list",
        "warnings": "filterwarnings simplefilter catch_warnings",
        "tempfile": "NamedTemporaryFile TemporaryDirectory mkdtemp mkstemp TemporaryFile",
        "zipfile": "ZipFile",
        "zipfile.ZipFile": "extractall write writestr",
        "tarfile": "open",
        "tarfile.TarFile": "extractall add",
        "gzip": "open compress GzipFile",
        "bz2": "open",
        "lzma": "open",
        "zlib": "compress decompress",
        "io": "StringIO",
        "configparser.ConfigParser": "read get read_dict",
        "xml.etree.ElementTree": "parse iterparse tostring indent",
        "html": "escape unescape",
        "html.parser": "HTMLParser",
        "difflib": "SequenceMatcher get_close_matches unified_diff ndiff",
        "unicodedata": "normalize",
        "decimal": "Decimal localcontext",
        "decimal.Decimal": "quantize",
        "fractions": "Fraction",
        "uuid": "UUID",
        "timeit": "timeit",
        "unittest": "TestCase",
        "unittest.TestCase": "assertAlmostEqual assertRaises assertCountEqual subTest",
        "unittest.mock": "MagicMock patch mock_open",
        "pprint": "pprint",
        "weakref": "finalize",
        "gc": "collect",
        "sys": "exit setrecursionlimit",
        "platform": "platform",
        "getpass": "getpass",
        "locale": "setlocale",
        "ipaddress": "ip_address",
        "array": "array",
        "codecs": "open",
        "filecmp": "cmp dircmp",
        "fileinput": "input",
        "importlib": "import_module",
        "importlib.metadata": "version",
        "ast": "literal_eval walk get_docstring NodeVisitor",
        "mimetypes": "guess_type",
        "tracemalloc": "take_snapshot",
        "graphlib": "TopologicalSorter",
    },
}
SAME_AS = {  # where else the same methods can be reached
    "pandas.DataFrame": ["pandas.Series", "pandas.Index", "pandas.MultiIndex"],
    "pandas.Series": ["pandas.DataFrame", "pandas.Index"],
    "pandas.Series.str": ["pandas.Index.str"],
    "pandas.Series.dt": ["pandas.DatetimeIndex", "pandas.TimedeltaIndex", "pandas.PeriodIndex"],
    "pandas.Series.cat": ["pandas.Categorical", "pandas.CategoricalIndex"],
    "pandas.Timestamp": ["pandas.DatetimeIndex"],
    "pandas.api.typing.DataFrameGroupBy": ["pandas.api.typing.SeriesGroupBy"],
    "pandas.api.typing.Rolling": ["pandas.api.typing.Expanding"],
    "matplotlib.pyplot": ["matplotlib.axes.Axes", "matplotlib.figure.Figure"],
    "numpy.strings": ["numpy.char"],
    "numpy.random": ["numpy.random.RandomState"],
    "torch": ["torch.nn.functional", "torch.linalg", "torch.special"],
    "torch.nn.functional": ["torch"],
    "pathlib.PurePath": ["pathlib.Path"],
    "sklearn.metrics": ["sklearn.metrics.pairwise"],
    "datetime.date": ["datetime.datetime"],
    "scipy.special": ["scipy.stats"],
}
EXTRA_SOURCES = {"os.path": "ntpath"}  # the same name has another text on Windows


def body_hash(name: str) -> str:
    """The hash that the manifest keeps: of description and parameters, without the signature."""
    return words_hash(parse(docstring(resolve(name)), name.rsplit(".", 1)[-1]).body)


def hashes(name: str) -> list[str]:
    """Every text that counts as known for ``name`` with this Python."""
    owner, _, last = name.rpartition(".")
    found = [body_hash(name)]
    if owner in EXTRA_SOURCES:
        found.append(body_hash(f"{EXTRA_SOURCES[owner]}.{last}"))
    return list(dict.fromkeys(found))


def refused(name: str) -> str:
    """Why a chosen name is left out, or an empty string."""
    try:
        found = resolve(name)
    except LookupError as error:
        return f"missing ({error})"
    last = name.rsplit(".", 1)[-1]
    sections = parse(docstring(found), last, short_signature(found, last))
    if isinstance(found, type) and issubclass(found, BaseException):
        return "an exception"
    if len(sections.body.split()) < LEAST_WORDS:
        return "too short"
    return "depends on the machine" if MACHINE.search(docstring(found)) else ""


def chosen() -> dict[str, str]:
    """Name -> package of every choice that stands, in the order of `CHOICES`."""
    kept: dict[str, str] = {}
    dropped = defaultdict(list)
    for package, namespaces in CHOICES.items():
        for namespace, names in namespaces.items():
            for name in dict.fromkeys(f"{namespace}.{last}".lstrip(".") for last in names.split()):
                if reason := refused(name):
                    dropped[reason if reason.startswith("missing") else f"{package}: {reason}"].append(name)
                else:
                    kept[name] = package
    for reason, names in sorted(dropped.items()):
        print(f"{reason}: {len(names)}: {' '.join(names)}")
    return kept


def merged(names: dict[str, str]) -> dict[str, list[str]]:
    """Canonical name -> aliases. Of names with one text the one with the fewest dots stands, else the first."""
    groups = defaultdict(list)
    for name in names:
        groups[body_hash(name)].append(name)
    first = {min(group, key=lambda name: name.count(".")): group for group in groups.values()}
    return {
        name: sorted({*first[name], *elsewhere(name)} - {name}, key=lambda alias: (alias.count("."), alias))
        for name in names
        if name in first
    }


def elsewhere(name: str) -> set[str]:
    """Other public names of the same object or the same docstring, in the same place and in those of `SAME_AS`."""
    owner, _, last = name.rpartition(".")
    found, text = resolve(name), docstring(resolve(name))
    places = [owner, *SAME_AS.get(owner, [])] if owner else []
    same = {f"{place}.{last}" for place in places if _docstring(f"{place}.{last}") == text}
    if owner and owner in {place for namespaces in CHOICES.values() for place in namespaces}:
        home = resolve(owner)
        same |= {f"{owner}.{n}" for n in dir(home) if not n.startswith("_") and _attribute(home, n) is found}
    return same


def _attribute(owner: object, name: str) -> object:
    try:
        return getattr(owner, name)
    except Exception:
        return None


def _docstring(name: str) -> str | None:
    try:
        return docstring(resolve(name))
    except LookupError:
        return None


def write_choice() -> None:
    """Both files, from nothing."""
    names = chosen()
    documents = merged(names)
    by_package = defaultdict(list)
    for name in documents:
        by_package[names[name]].append(name)
    lines = ["# The documents of pydocs, in their order. Written by recipes/choose_pydocs.py."]
    for package, listed in by_package.items():
        quoted = "".join(f'    "{name}",\n' for name in listed)
        lines.append(f'\n[[package]]\nname = "{package}"\ndocs = [\n{quoted}]')
        print(f"{package}: {len(listed)}")
    (DATA / "pydocs.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    records = [
        {"_id": name, "package": names[name], "aliases": aliases, "hashes": hashes(name)}
        for name, aliases in documents.items()
    ]
    write_manifest(records)


def add_standard_library() -> None:
    """The hashes of this Python's own docstrings, added to the manifest."""
    listed = tomllib.loads((DATA / "pydocs.toml").read_text(encoding="utf-8"))["package"]
    own = {name for package in listed if package["name"] == "python" for name in package["docs"]}
    records = [json.loads(line) for line in (DATA / "pydocs_manifest.jsonl").read_text(encoding="utf-8").splitlines()]
    new, missing = 0, []
    for record in records:
        if record["_id"] in own:
            try:
                found = hashes(record["_id"])
            except LookupError:
                missing.append(record["_id"])
                continue
            new += any(value not in record["hashes"] for value in found)
            record["hashes"] = list(dict.fromkeys([*record["hashes"], *found]))
    print(f"Python {sys.version.split()[0]}: {len(own)} names, {new} with a text of its own, missing: {missing}")
    write_manifest(records)


def write_manifest(records: list[dict]) -> None:
    text = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    (DATA / "pydocs_manifest.jsonl").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    add_standard_library() if "--standard-library" in sys.argv else write_choice()
