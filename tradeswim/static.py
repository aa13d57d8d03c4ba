"""Static files under names that carry their content's hash, compressed once."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStatic(CompressedManifestStaticFilesStorage):
    """Hashes also the names inside `import` lines of our ES modules."""

    support_js_module_import_aggregation = True
