from .adaptive.cat import (
    ItemBank,
    NextStep,
    SimulatedTests,
    TestRules,
    TestState,
    exposure_chances,
    fade_away,
    item_bank,
    next_step,
    simulate_tests,
    start_test,
)
from .adaptive.multistage import ModuleStep, SimulatedPanels, next_module, simulate_panels
from .adaptive.panels import Module, Panel, PathCheck, check_paths, route_by_information
from .assembly._assembling import SolverOptions
from .assembly.blueprint import Blueprint, ContentBound, SumBound, each_value, two_way_bounds
from .assembly.conflicts import Conflict, Give, InfeasibleBlueprint, NoFormFound
from .assembly.forms import Assembly, assemble_form, assemble_forms, explain_infeasibility
from .assembly.goals import MaximinInformation, MostInformation, TargetInformation
from .assembly.panels import ModulePlan, assemble_panels
from .assembly.pool import Between, ItemPool, item_pool
from .assembly.shadow import ShadowDesign, next_shadow_step, shadow_design, simulate_shadow_tests
from .calibration.bank_update import BankUpdate, update_bank
from .calibration.certificate import Certificate
from .calibration.facets import Facet, FacetFit, calibrate_facets
from .calibration.irt import IRTFit, calibrate
from .calibration.priors import ItemPriors
from .calibration.streaming import calibrate_dataset
from .classical.behaviour import CopyingIndices, Speededness, copying_indices, normal_p_value, speededness
from .classical.distractors import DistractorAnalysis, distractor_analysis
from .classical.generalizability import DStudy, VarianceComponents, variance_components
from .classical.items import ItemStatistics, cronbach_alpha, item_statistics
from .classical.reliability import Omega, SplitHalves, omega, split_halves
from .diagnosis.attribute_network import AttributeNetwork
from .diagnosis.belief_checks import BeliefCheck, check_beliefs
from .diagnosis.cdm import CDMFit, diagnose
from .diagnosis.higher_order import HigherOrderFit, diagnose_higher_order
from .diagnosis.items import DiagnosisCertificate, DiagnosticItem
from .diagnosis.mastery import Mastery, classify
from .diagnosis.model_choice import LikelihoodRatio, WaldTests, likelihood_ratio, wald_tests
from .diagnosis.q_validation import QValidation, validate_q_matrix
from .diagnosis.qmatrix import Identifiability, QMatrix, identifiability
from .diagnosis.sequential import step_items
from .diagnosis.structured import AttributeBeliefs, StructuredDiagnosis, believe, diagnose_structured
from .dif.invariance import MeasurementInvariance, measurement_invariance
from .dif.likelihood import ModelDIF, likelihood_dif
from .dif.lord import lord_dif
from .dif.observed import LogisticDIF, MantelHaenszel, logistic_dif, mantel_haenszel
from .equating.forms import Equating, equate, equate_with_anchor
from .equating.presmoothing import SmoothedCounts, score_counts, smooth_counts, smoothing_degree
from .errors import (
    BadOption,
    BadScore,
    BadShape,
    BadWeight,
    MeasurementError,
    MissingPackage,
    NothingToCalibrate,
)
from .fit.limited_information import ModelFit, model_fit
from .fit.misfit import ItemFit, LocalDependence, PersonFit, item_fit, local_dependence, person_fit
from .growth.progress import GrowthModel, ValueAdded, growth_percentiles, value_added
from .linking.drift import DriftReport, Trend, drifting_items, trend
from .linking.links import Link, chain_links, link, vertical_links
from .multidimensional.bifactor import BifactorFit, calibrate_bifactor
from .multidimensional.dimensions import calibrate_dimensions
from .multidimensional.fits import DimensionsFit, SampledCertificate
from .multidimensional.scores import DimensionScores, DimensionValues, plausible_dimensions, score_dimensions
from .profiles.clusters import ProfileEvidence, Profiles, find_profiles
from .profiles.confirmation import ConfirmedFactors, confirm_factors
from .profiles.correlations import Adequacy, Correlations, correlate, sampling_adequacy
from .profiles.exploration import FactorAnalysis, ParallelAnalysis, explore_factors, parallel_analysis
from .profiles.factor_scores import FactorScores
from .profiles.rotation import Rotation, rotate
from .readability.features import FeatureReader, TextFeatures
from .readability.model import ReadabilityError, ReadabilityModel
from .readability.scale import ReadingLink, link_reading
from .responses import NOT_ADMINISTERED, NOT_REACHED, OMITTED, Responses
from .scores.datasets import ScoredDataset, score_dataset
from .scores.plausible import PlausibleValues, conditioning_components, plausible_values
from .scores.scales import ReportingScale, scale_matching, scale_with
from .scores.scoring import (
    AbilityEstimate,
    SumScoreTable,
    score_eap,
    score_map,
    score_ml,
    score_sum_eap,
    score_wle,
    sum_score_table,
)
from .survey.design_effects import DesignEffect, design_effect
from .survey.population import (
    Estimate,
    GroupEstimates,
    correlation,
    estimate_groups,
    group_difference,
    level_shares_groups,
    mean,
    percentiles,
    percentiles_groups,
    proportion,
    shares_at_levels,
    standard_deviation,
    variance_between,
)
from .survey.regression import SurveyRegression, linear_regression, logistic_regression
from .survey.sampling import SampleDesign
from .survey.small_areas import SmallAreaMeans, small_area_means
from .survey.stream import SurveyBatch, stream_means
from .survey.unit_level import unit_level_means
from .survey.variance_levels import VarianceDecomposition, variance_decomposition
from .tracing.bayesian import TracedAnswers, TracingFit, trace, trace_answers
from .tracing.checks import Evaluation, LeakAudit, PredictionQuality, audit_leaks, cross_validate, prediction_quality
from .tracing.interactions import Interactions, pupil_folds
from .tracing.logistic import PerformanceFactors, RatingOptions, Ratings, performance_factors, rate, tune_rating
from .tracing.practice import USUAL_FEATURES, PracticeFeature, PracticeTracing, trace_practice
from .tracing.pupils import PupilTracing, trace_pupils

__version__: str

__all__ = [
    "NOT_ADMINISTERED",
    "NOT_REACHED",
    "OMITTED",
    "USUAL_FEATURES",
    "AbilityEstimate",
    "Adequacy",
    "Assembly",
    "AttributeBeliefs",
    "AttributeNetwork",
    "BadOption",
    "BadScore",
    "BadShape",
    "BadWeight",
    "BankUpdate",
    "BeliefCheck",
    "Between",
    "BifactorFit",
    "Blueprint",
    "CDMFit",
    "Certificate",
    "ConfirmedFactors",
    "Conflict",
    "ContentBound",
    "CopyingIndices",
    "Correlations",
    "DStudy",
    "DesignEffect",
    "DiagnosisCertificate",
    "DiagnosticItem",
    "DimensionScores",
    "DimensionValues",
    "DimensionsFit",
    "DistractorAnalysis",
    "DriftReport",
    "Equating",
    "Estimate",
    "Evaluation",
    "Facet",
    "FacetFit",
    "FactorAnalysis",
    "FactorScores",
    "FeatureReader",
    "Give",
    "GroupEstimates",
    "GrowthModel",
    "HigherOrderFit",
    "IRTFit",
    "Identifiability",
    "InfeasibleBlueprint",
    "Interactions",
    "ItemBank",
    "ItemFit",
    "ItemPool",
    "ItemPriors",
    "ItemStatistics",
    "LeakAudit",
    "LikelihoodRatio",
    "Link",
    "LocalDependence",
    "LogisticDIF",
    "MantelHaenszel",
    "Mastery",
    "MaximinInformation",
    "MeasurementError",
    "MeasurementInvariance",
    "MissingPackage",
    "ModelDIF",
    "ModelFit",
    "Module",
    "ModulePlan",
    "ModuleStep",
    "MostInformation",
    "NextStep",
    "NoFormFound",
    "NothingToCalibrate",
    "Omega",
    "Panel",
    "ParallelAnalysis",
    "PathCheck",
    "PerformanceFactors",
    "PersonFit",
    "PlausibleValues",
    "PracticeFeature",
    "PracticeTracing",
    "PredictionQuality",
    "ProfileEvidence",
    "Profiles",
    "PupilTracing",
    "QMatrix",
    "QValidation",
    "RatingOptions",
    "Ratings",
    "ReadabilityError",
    "ReadabilityModel",
    "ReadingLink",
    "ReportingScale",
    "Responses",
    "Rotation",
    "SampleDesign",
    "SampledCertificate",
    "ScoredDataset",
    "ShadowDesign",
    "SimulatedPanels",
    "SimulatedTests",
    "SmallAreaMeans",
    "SmoothedCounts",
    "SolverOptions",
    "Speededness",
    "SplitHalves",
    "StructuredDiagnosis",
    "SumBound",
    "SumScoreTable",
    "SurveyBatch",
    "SurveyRegression",
    "TargetInformation",
    "TestRules",
    "TestState",
    "TextFeatures",
    "TracedAnswers",
    "TracingFit",
    "Trend",
    "ValueAdded",
    "VarianceComponents",
    "VarianceDecomposition",
    "WaldTests",
    "assemble_form",
    "assemble_forms",
    "assemble_panels",
    "audit_leaks",
    "believe",
    "calibrate",
    "calibrate_bifactor",
    "calibrate_dataset",
    "calibrate_dimensions",
    "calibrate_facets",
    "chain_links",
    "check_beliefs",
    "check_paths",
    "classify",
    "conditioning_components",
    "confirm_factors",
    "copying_indices",
    "correlate",
    "correlation",
    "cronbach_alpha",
    "cross_validate",
    "design_effect",
    "diagnose",
    "diagnose_higher_order",
    "diagnose_structured",
    "distractor_analysis",
    "drifting_items",
    "each_value",
    "equate",
    "equate_with_anchor",
    "estimate_groups",
    "explain_infeasibility",
    "explore_factors",
    "exposure_chances",
    "fade_away",
    "find_profiles",
    "group_difference",
    "growth_percentiles",
    "identifiability",
    "item_bank",
    "item_fit",
    "item_pool",
    "item_statistics",
    "level_shares_groups",
    "likelihood_dif",
    "likelihood_ratio",
    "linear_regression",
    "link",
    "link_reading",
    "local_dependence",
    "logistic_dif",
    "logistic_regression",
    "lord_dif",
    "mantel_haenszel",
    "mean",
    "measurement_invariance",
    "model_fit",
    "next_module",
    "next_shadow_step",
    "next_step",
    "normal_p_value",
    "omega",
    "parallel_analysis",
    "percentiles",
    "percentiles_groups",
    "performance_factors",
    "person_fit",
    "plausible_dimensions",
    "plausible_values",
    "prediction_quality",
    "proportion",
    "pupil_folds",
    "rate",
    "rotate",
    "route_by_information",
    "sampling_adequacy",
    "scale_matching",
    "scale_with",
    "score_counts",
    "score_dataset",
    "score_dimensions",
    "score_eap",
    "score_map",
    "score_ml",
    "score_sum_eap",
    "score_wle",
    "shadow_design",
    "shares_at_levels",
    "simulate_panels",
    "simulate_shadow_tests",
    "simulate_tests",
    "small_area_means",
    "smooth_counts",
    "smoothing_degree",
    "speededness",
    "split_halves",
    "standard_deviation",
    "start_test",
    "step_items",
    "stream_means",
    "sum_score_table",
    "trace",
    "trace_answers",
    "trace_practice",
    "trace_pupils",
    "trend",
    "tune_rating",
    "two_way_bounds",
    "unit_level_means",
    "update_bank",
    "validate_q_matrix",
    "value_added",
    "variance_between",
    "variance_components",
    "variance_decomposition",
    "vertical_links",
    "wald_tests",
]
