"""Actions that tell which version of Finance this is, as clients ask it first [C d365fo-client].

The numbers are those that the sandbox speaks for; no environment of Microsoft's has exactly them [?].
"""

from collections.abc import Callable, Mapping

from sandbox.finance.request import DataRequest

_APPLICATION, _APPLICATION_BUILD, _PLATFORM_BUILD = "10.0.44", "10.0.2177.40", "7.0.7690.42"
_MODULES = {
    "ApplicationFoundation": ("Application Foundation", _PLATFORM_BUILD),
    "ApplicationPlatform": ("Application Platform", _PLATFORM_BUILD),
    "ApplicationSuite": ("Application Suite", _APPLICATION_BUILD),
}


def _modules() -> list[str]:
    return [
        f"Name: {name} | Version: {version} | Module: {name} | Publisher: Microsoft Corporation | "
        f"DisplayName: {label}"
        for name, (label, version) in _MODULES.items()
    ]


ENVIRONMENT_ACTIONS: Mapping[tuple[str, str], Callable[[DataRequest, Mapping[str, object]], object]] = {
    ("DataManagementEntities", "GetApplicationVersion"): lambda _request, _parameters: _APPLICATION,
    ("DataManagementEntities", "GetApplicationBuildVersion"): lambda _request, _parameters: (
        _APPLICATION_BUILD
    ),
    ("DataManagementEntities", "GetPlatformBuildVersion"): lambda _request, _parameters: _PLATFORM_BUILD,
    ("SystemNotifications", "GetInstalledModules"): lambda _request, _parameters: _modules(),
}
