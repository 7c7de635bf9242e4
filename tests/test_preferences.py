"""The config file: what counts before what, clear refusals, and nothing that makes it crash."""

import random
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from htlctop.cli import cli
from htlctop.cli.looks import look_options, ui_options
from htlctop.cli.options import connection, node_options, store_option, store_path
from htlctop.config import ConnectionOptions
from htlctop.errors import ConfigError
from htlctop.preferences import Preferences, load

WHOLE = """
theme = "nord"
window = "7d"
profile = "home"

[profiles.home]
rpcserver = "10.0.0.2:10009"
macaroonpath = "~/home.macaroon"
keep = "90d"
window = "24h"

[profiles.far]
network = "testnet"
store = "/srv/far.db"
metrics = "127.0.0.1:9741"
lnd_manage = "http://127.0.0.1:8081"

[keys]
freeze = ["f", "space"]
quit = "x"

[templates.bos]
rebalance_outbound = "bos rebalance --amount {amount_sat}"

[templates.charge]
raise_fees = '''
[{pubkey}]
strategy = static
'''
"""


def read(text: str, folder: Path, profile: str | None = None) -> Preferences:
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return load(path, profile)


def test_the_whole_file_is_read(tmp_path: Path) -> None:
    found = read(WHOLE, tmp_path)
    assert found.profile.name == "home"
    assert found.profile.node == ConnectionOptions(
        rpcserver="10.0.0.2:10009", macaroonpath="~/home.macaroon"
    )
    assert found.profile.look.theme == "nord", "from above the sections"
    assert found.profile.look.window == "24h", "the profile's own"
    assert found.profile.look.keep == "90d"
    assert found.keys == {"freeze": ("f", "space"), "quit": ("x",)}
    assert found.templates["charge.raise_fees"].count("\n") == 2
    far = read(WHOLE, tmp_path, "far").profile
    assert far.store == Path("/srv/far.db")
    assert (far.metrics, far.lnd_manage) == ("127.0.0.1:9741", "http://127.0.0.1:8081")


def test_without_a_file_there_is_the_default_profile(tmp_path: Path) -> None:
    assert load(tmp_path / "none") == Preferences(tmp_path / "none")
    with pytest.raises(ConfigError, match="no config file"):
        load(tmp_path / "none", must_exist=True)
    with pytest.raises(ConfigError, match="no profile 'a': no config file at"):
        load(tmp_path / "none", "a")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("theme = 5", 'theme must be a text in "quotes"'),
        ("asci = true", "asci is no setting; did you mean ascii?"),
        ("ascii = 'yes'", "ascii must be true or false"),
        ("window = 'soon'", "window is 'soon'; write 30m, 24h, 90d, or all"),
        ("[profiles.a]\nkeep = 'never'", "profiles.a.keep is 'never'"),
        ("[profiles.a]\nrpcservr = 'x'", "profiles.a.rpcservr is no setting; did you mean rpcser"),
        (
            "[profiles.a]\nmetric = 'x'",
            "profiles.a.metric is no setting; did you mean metrics? (th",
        ),
        ("[profiles.a]\nlnd-manage = 'x'", "lnddir, network, rpcserver, tlscertpath, macaroonpath"),
        ("[profiles.a]\nmetrics = true", 'profiles.a.metrics must be a text in "quotes"'),
        ("[profiles.a]\nmetrics = 'on'", "profiles.a.metrics is 'on'; write it like 127.0.0.1:97"),
        (
            "[profiles.a]\nlnd_manage = 'me:1'",
            "profiles.a.lnd_manage is 'me:1'; write it like http",
        ),
        ("[profiles.'../x']", "profiles.'../x': a name has letters"),
        ("profiles = 3", "profiles must be a section: [profiles]"),
        ("profile = 'b'\n[profiles.a]", "no profile 'b'; there are a"),
        ("profile = 'b'", "no profile 'b'; it has none"),
        ("[keys]\nquit = 3", 'keys.quit must be "a text" or a list'),
        ("[keys]\nquit = []", "keys.quit must be"),
        (
            '[templates.bos]\nraise_fees = "\\u001b[31m"',
            "templates.bos.raise_fees is empty, too long or has control",
        ),
        ("[templates]\nbos = 'x'", "templates.bos must be a section: [templates.bos]"),
        ("theme = ", "it is not TOML"),
        ("a = " + "[" * 5000, "it is not TOML"),
        ("a = " + "9" * 5000, "it is not TOML"),
    ],
)
def test_what_cannot_be_is_refused_by_file_and_setting(
    text: str, said: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text, tmp_path)
    assert said in str(caught.value)
    assert str(tmp_path / "config.toml") in str(caught.value)


def test_a_file_with_a_macaroon_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("[profiles.a]\nmacaroon = '0201secret'\n")
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600") as caught:
        load(path)
    assert "0201secret" not in str(caught.value)
    path.chmod(0o600)
    assert "0201secret" not in repr(load(path, "a"))


def test_what_is_no_text_or_far_too_large_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    for data, said in ((b"\xff\xfe", "UTF-8"), (b"#" * 300_000, "far too large")):
        path.write_bytes(data)
        with pytest.raises(ConfigError, match=said):
            load(path)
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path)


def pieces(chance: random.Random) -> str:
    """A line as a hurried hand, a broken editor or an attacker leaves it."""
    names = (
        *("theme", "ascii", "mouse", "window", "keep", "profile", "rpcserver", "store", "x" * 99),
        *("macaroon", "lndconnect", "network", "freeze", "bos", '"\\u0000"', "'a b'", "ké"),
    )
    values = (
        *("true", "5", "-1.5e300", "nan", "[]", "['a', 'b']", "{}", "{a = 1}", "'24h'", "''"),
        *(
            "1979-05-27",
            "'~nobody/x'",
            "'\\ud800'",
            '"\\u0000"',
            '"""',
            "'all'",
            "'a'",
            "'default'",
        ),
    )
    return chance.choice(
        (
            f"{chance.choice(names)} = {chance.choice(values)}",
            f"[{chance.choice(('profiles', 'keys', 'templates', chance.choice(names)))}]",
            f"[profiles.{chance.choice(('a', 'b', 'default', chance.choice(names)))}]",
            "".join(chr(chance.randrange(1, 0x300)) for _ in range(chance.randrange(30))),
            "# remark",
            "",
        )
    )


def test_2000_fuzzed_files_are_used_or_refused_with_a_configuration_error(tmp_path: Path) -> None:
    chance = random.Random(1)
    path = tmp_path / "config.toml"
    path.touch(0o600)
    used = refused = 0
    for _ in range(2000):
        data = "\n".join(pieces(chance) for _ in range(chance.randrange(1, 6))).encode()
        if chance.random() < 0.2:
            data = bytes(byte ^ (chance.random() < 0.02) for byte in data)
        path.write_bytes(data)
        try:
            load(path, chance.choice((None, None, "a", "default", "\0", "")))
            used += 1
        except ConfigError as error:
            refused += 1
            assert str(path) in str(error)
    assert used > 100 and refused > 500


def told(folder: Path, *flags: str, env: dict[str, str] | None = None) -> dict[str, str]:
    """What a command with these flags is given, as it would connect, store and look."""
    found: dict[str, str] = {}

    @click.command()
    @node_options
    @store_option
    @look_options
    def command(store, theme, ascii_only, mouse, **options) -> None:
        node = connection(**options)
        looks = ui_options(theme, ascii_only, mouse, None, Path("log"))
        found.update(
            rpcserver=node.rpcserver,
            network=node.network,
            store=str(store_path(store, node.network)),
            theme=str(looks.theme),
            window=str(looks.window),
            ascii=str(looks.ascii),
            mouse=str(not looks.no_mouse),
        )

    path = folder / "config.toml"
    done = CliRunner().invoke(command, [*flags, "--config", str(path)], env=env or {})
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return found


def test_flag_before_environment_before_profile_before_default(tmp_path: Path) -> None:
    read(WHOLE, tmp_path)
    assert told(tmp_path)["rpcserver"] == "10.0.0.2:10009"
    env = {"HTLCTOP_RPCSERVER": "env:1", "HTLCTOP_THEME": "dark", "HTLCTOP_ASCII": "1"}
    given = told(tmp_path, env=env)
    assert (given["rpcserver"], given["theme"], given["ascii"]) == ("env:1", "dark", "True")
    given = told(tmp_path, "--rpcserver", "flag:2", "--theme", "light", "--no-ascii", env=env)
    assert (given["rpcserver"], given["theme"], given["ascii"]) == ("flag:2", "light", "False")
    far = told(tmp_path, "--profile", "far")
    assert (far["network"], far["store"], far["window"]) == ("testnet", "/srv/far.db", "7d")
    assert told(tmp_path, "-p", "far", "--store", "/x.db")["store"] == "/x.db"
    assert told(tmp_path, env={"HTLCTOP_PROFILE": "far"})["network"] == "testnet"


def test_each_profile_has_a_store_of_its_own(tmp_path: Path) -> None:
    read(WHOLE, tmp_path)
    assert Path(told(tmp_path)["store"]).name == "home.db"
    read("theme = 'dark'", tmp_path)
    assert Path(told(tmp_path)["store"]).name == "mainnet.db"
    assert Path(told(tmp_path, "--network", "signet")["store"]).name == "signet.db"


def test_a_profile_that_is_not_there_ends_a_command_with_the_configurations_exit_code(
    tmp_path: Path,
) -> None:
    read(WHOLE, tmp_path)
    arguments = ["report", "--config", str(tmp_path / "config.toml"), "--profile", "none"]
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code == ConfigError.exit_code
    assert "no profile 'none'; there are far, home" in done.output


def test_the_demo_looks_as_the_config_file_says(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("asci = true")
    done = CliRunner().invoke(cli, ["demo", "--config", str(tmp_path / "config.toml")])
    assert done.exit_code == ConfigError.exit_code
    assert "did you mean ascii?" in done.output
