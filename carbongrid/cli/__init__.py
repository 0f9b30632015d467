"""The command line: a thin shell over the Python API."""

from carbongrid.cli import analysis_commands as _analysis_commands  # noqa: F401  (adds its commands)
from carbongrid.cli import audit_commands as _audit_commands  # noqa: F401  (adds its commands)
from carbongrid.cli import climate_trace_command as _climate_trace_command  # noqa: F401  (adds its command)
from carbongrid.cli import commands as _commands  # noqa: F401  (adds its commands)
from carbongrid.cli import docs_command as _docs_command  # noqa: F401  (adds its command)
from carbongrid.cli import explain_commands as _explain_commands  # noqa: F401  (adds its commands)
from carbongrid.cli import figures_command as _figures_command  # noqa: F401  (adds its command)
from carbongrid.cli import inventory_commands as _inventory_commands  # noqa: F401  (adds its commands)
from carbongrid.cli import land_cover_command as _land_cover_command  # noqa: F401  (adds its command)
from carbongrid.cli import osm_command as _osm_command  # noqa: F401  (adds its command)
from carbongrid.cli import plan_commands as _plan_commands  # noqa: F401  (adds its commands)
from carbongrid.cli import study_commands as _study_commands  # noqa: F401  (adds its commands)
from carbongrid.cli.group import main
from carbongrid.cli.process import command

__all__ = ["command", "main"]
