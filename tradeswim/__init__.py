"""The project package: settings, URLs, Celery and the processes."""
