import pytest

from projops.errors import ConfigurationError
from projops.settings import PROJECT_ROOT, Settings


def test_defaults_are_those_of_the_checkout() -> None:
    settings = Settings.from_environment({})
    assert settings.mappings == PROJECT_ROOT / "include" / "mappings"
    assert (settings.breaker_share, settings.breaker_rows, settings.delete_rows) == (0.2, 50, 100)


@pytest.mark.parametrize(
    ("environment", "url"),
    [
        ({"PROJOPS_STATE_URL": "sqlite:///a", "AIRFLOW_CONN_PROJOPS_STATE": "sqlite:///b"}, "sqlite:///a"),
        ({"AIRFLOW_CONN_PROJOPS_STATE": "postgresql://u:p@h/d"}, "postgresql://u:p@h/d"),
        ({"AIRFLOW_CONN_PROJOPS_STATE": '{"extra": {"url": "sqlite:///c"}}'}, "sqlite:///c"),
        ({"AIRFLOW_CONN_PROJOPS_STATE": '{"extra": "{\\"url\\": \\"sqlite:///d\\"}"}'}, "sqlite:///d"),
    ],
)
def test_the_state_database_comes_from_variable_or_connection(environment: dict[str, str], url: str) -> None:
    assert Settings.from_environment(environment).state_url == url


def test_a_connection_without_url_is_named() -> None:
    with pytest.raises(ConfigurationError, match="projops_state has no database URL"):
        Settings.from_environment({"AIRFLOW_CONN_PROJOPS_STATE": '{"conn_type": "generic"}'})
    for text in ("{", '{"extra": []}', '{"extra": 5}', '{"extra": "{"}'):
        with pytest.raises(ConfigurationError, match="projops_state has no database URL"):
            Settings.from_environment({"AIRFLOW_CONN_PROJOPS_STATE": text})


@pytest.mark.parametrize("text", ["many", "nan", "inf", "-1", "1e999", ""])
def test_a_number_that_is_none_is_named(text: str) -> None:
    with pytest.raises(ConfigurationError, match=f"PROJOPS_CHUNK_ROWS is {text}, which is no number"):
        Settings.from_environment({"PROJOPS_CHUNK_ROWS": text})


@pytest.mark.parametrize("setting", ["CHUNK_ROWS", "REQUEST_BUDGET", "LEASE_SECONDS"])
@pytest.mark.parametrize("text", ["0", "0.5"])
def test_a_number_without_which_nothing_moves_is_one_at_least(setting: str, text: str) -> None:
    with pytest.raises(
        ConfigurationError, match=f"PROJOPS_{setting} is {text}, which is no number from 1 up"
    ):
        Settings.from_environment({f"PROJOPS_{setting}": text})
