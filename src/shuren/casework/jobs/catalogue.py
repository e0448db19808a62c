"""What is defined stands in the catalogue of data."""

from shuren.casework.selectors.assets import defined_assets
from shuren.casework.selectors.packs import pack_titles
from shuren.datahub.api import declare_assets, declare_owner_names

declare_assets(defined_assets)
declare_owner_names("pack", pack_titles)
