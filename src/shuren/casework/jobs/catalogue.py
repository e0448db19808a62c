"""What is defined stands in the catalogue of data."""

from shuren.casework.selectors.assets import defined_assets
from shuren.datahub.api import declare_assets

declare_assets(defined_assets)
