"""The development bench: it runs, tests and measures the addon. Nothing here is part of the installed addon."""
