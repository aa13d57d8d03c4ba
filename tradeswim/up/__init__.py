"""`manage.py up`: start every process of an installation, keep them running, stop them all."""
