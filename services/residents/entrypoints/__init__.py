"""Parts of the service's surface, a module for each capability that fills more than a screen."""
