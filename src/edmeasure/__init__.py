"""Large-scale educational measurement: calibration, scores, plausible values, survey errors."""

from edmeasure.adaptive.cat import (
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
from edmeasure.adaptive.multistage import ModuleStep, SimulatedPanels, next_module, simulate_panels
from edmeasure.adaptive.panels import Module, Panel, PathCheck, check_paths, route_by_information
from edmeasure.assembly._assembling import SolverOptions
from edmeasure.assembly.blueprint import Blueprint, ContentBound, SumBound, each_value, two_way_bounds
from edmeasure.assembly.conflicts import Conflict, Give, InfeasibleBlueprint, NoFormFound
from edmeasure.assembly.forms import Assembly, assemble_form, assemble_forms, explain_infeasibility
from edmeasure.assembly.goals import MaximinInformation, MostInformation, TargetInformation
from edmeasure.assembly.panels import ModulePlan, assemble_panels
from edmeasure.assembly.pool import Between, ItemPool, item_pool
from edmeasure.assembly.shadow import ShadowDesign, next_shadow_step, shadow_design, simulate_shadow_tests
from edmeasure.calibration.bank_update import BankUpdate, update_bank
from edmeasure.calibration.certificate import Certificate
from edmeasure.calibration.facets import Facet, FacetFit, calibrate_facets
from edmeasure.calibration.irt import IRTFit, calibrate
from edmeasure.calibration.priors import ItemPriors
from edmeasure.calibration.streaming import calibrate_dataset
from edmeasure.classical.behaviour import CopyingIndices, Speededness, copying_indices, normal_p_value, speededness
from edmeasure.classical.distractors import DistractorAnalysis, distractor_analysis
from edmeasure.classical.generalizability import DStudy, VarianceComponents, variance_components
from edmeasure.classical.items import ItemStatistics, cronbach_alpha, item_statistics
from edmeasure.classical.reliability import Omega, SplitHalves, omega, split_halves
from edmeasure.diagnosis.attribute_network import AttributeNetwork
from edmeasure.diagnosis.belief_checks import BeliefCheck, check_beliefs
from edmeasure.diagnosis.cdm import CDMFit, diagnose
from edmeasure.diagnosis.higher_order import HigherOrderFit, diagnose_higher_order
from edmeasure.diagnosis.items import DiagnosisCertificate, DiagnosticItem
from edmeasure.diagnosis.mastery import Mastery, classify
from edmeasure.diagnosis.model_choice import LikelihoodRatio, WaldTests, likelihood_ratio, wald_tests
from edmeasure.diagnosis.q_validation import QValidation, validate_q_matrix
from edmeasure.diagnosis.qmatrix import Identifiability, QMatrix, identifiability
from edmeasure.diagnosis.sequential import step_items
from edmeasure.diagnosis.structured import AttributeBeliefs, StructuredDiagnosis, believe, diagnose_structured
from edmeasure.dif.invariance import MeasurementInvariance, measurement_invariance
from edmeasure.dif.likelihood import ModelDIF, likelihood_dif
from edmeasure.dif.lord import lord_dif
from edmeasure.dif.observed import LogisticDIF, MantelHaenszel, logistic_dif, mantel_haenszel
from edmeasure.equating.forms import Equating, equate, equate_with_anchor
from edmeasure.equating.presmoothing import SmoothedCounts, score_counts, smooth_counts, smoothing_degree
from edmeasure.errors import (
    BadOption,
    BadScore,
    BadShape,
    BadWeight,
    MeasurementError,
    MissingPackage,
    NothingToCalibrate,
)
from edmeasure.fit.limited_information import ModelFit, model_fit
from edmeasure.fit.misfit import ItemFit, LocalDependence, PersonFit, item_fit, local_dependence, person_fit
from edmeasure.growth.progress import GrowthModel, ValueAdded, growth_percentiles, value_added
from edmeasure.linking.drift import DriftReport, Trend, drifting_items, trend
from edmeasure.linking.links import Link, chain_links, link, vertical_links
from edmeasure.multidimensional.bifactor import BifactorFit, calibrate_bifactor
from edmeasure.multidimensional.dimensions import calibrate_dimensions
from edmeasure.multidimensional.fits import DimensionsFit, SampledCertificate
from edmeasure.multidimensional.scores import DimensionScores, DimensionValues, plausible_dimensions, score_dimensions
from edmeasure.profiles.clusters import ProfileEvidence, Profiles, find_profiles
from edmeasure.profiles.confirmation import ConfirmedFactors, confirm_factors
from edmeasure.profiles.correlations import Adequacy, Correlations, correlate, sampling_adequacy
from edmeasure.profiles.exploration import FactorAnalysis, ParallelAnalysis, explore_factors, parallel_analysis
from edmeasure.profiles.factor_scores import FactorScores
from edmeasure.profiles.rotation import Rotation, rotate
from edmeasure.readability.features import FeatureReader, TextFeatures
from edmeasure.readability.model import ReadabilityError, ReadabilityModel
from edmeasure.readability.scale import ReadingLink, link_reading
from edmeasure.responses import NOT_ADMINISTERED, NOT_REACHED, OMITTED, Responses
from edmeasure.scores.datasets import ScoredDataset, score_dataset
from edmeasure.scores.plausible import PlausibleValues, conditioning_components, plausible_values
from edmeasure.scores.scales import ReportingScale, scale_matching, scale_with
from edmeasure.scores.scoring import (
    AbilityEstimate,
    SumScoreTable,
    score_eap,
    score_map,
    score_ml,
    score_sum_eap,
    score_wle,
    sum_score_table,
)
from edmeasure.survey.design_effects import DesignEffect, design_effect
from edmeasure.survey.population import (
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
from edmeasure.survey.regression import SurveyRegression, linear_regression, logistic_regression
from edmeasure.survey.sampling import SampleDesign
from edmeasure.survey.small_areas import SmallAreaMeans, small_area_means
from edmeasure.survey.stream import SurveyBatch, stream_means
from edmeasure.survey.unit_level import unit_level_means
from edmeasure.survey.variance_levels import VarianceDecomposition, variance_decomposition
from edmeasure.tracing.bayesian import TracedAnswers, TracingFit, trace, trace_answers
from edmeasure.tracing.checks import Evaluation, LeakAudit, PredictionQuality, audit_leaks, cross_validate, prediction_quality
from edmeasure.tracing.interactions import Interactions, pupil_folds
from edmeasure.tracing.logistic import PerformanceFactors, RatingOptions, Ratings, performance_factors, rate, tune_rating
from edmeasure.tracing.practice import USUAL_FEATURES, PracticeFeature, PracticeTracing, trace_practice
from edmeasure.tracing.pupils import PupilTracing, trace_pupils

__version__ = "0.1.0"

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
