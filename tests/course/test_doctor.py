"""Each probe with good and with bad input; the report's text; and that no key's value ever shows."""

import subprocess
import sys
from importlib import metadata

import pytest

from labkit.course import doctor as room
from labkit.course import probes
from labkit.course.doctor import Report, doctor
from labkit.course.probes import GIB, Check

NUMPY, TORCH = metadata.version("numpy"), metadata.version("torch")
SECRET = "sk-0123456789-do-not-show"


@pytest.fixture
def lock(tmp_path):
    def write(text):
        path = tmp_path / "constraints.txt"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def one(findings):
    (check,) = findings
    return check


def test_the_report_aligns_counts_and_shows_the_fix():
    report = Report((Check("ok", "Python", "3.12.1"), Check("fail", "disk", "full", "make room")))
    assert str(report) == "[ok]   Python — 3.12.1\n[fail] disk   — full; fix: make room\n2 checks: 1 ok, 0 warn, 1 fail"
    assert repr(report) == str(report)
    assert not report.ok
    assert report.exit_code == 1


def test_warnings_do_not_fail_the_report():
    report = Report((Check("warn", "disk", "low", "make room"),))
    assert report.ok
    assert report.exit_code == 0


def test_the_reports_html_is_escaped_and_says_the_same():
    html = Report((Check("fail", "<what>", "a & b", "run <this>"),))._repr_html_()
    assert "&lt;what&gt;" in html
    assert "a &amp; b; fix: run &lt;this&gt;" in html
    assert "<this>" not in html
    assert "[fail]" in html  # the notebooks speak of lines that begin with [fail]


@pytest.mark.parametrize(
    ("version", "state"), [((3, 10, 9), "fail"), ((3, 11, 0), "ok"), ((3, 13, 2), "ok"), ((3, 14, 0), "fail")]
)
def test_python_from_3_11_to_3_13_will_do(version, state):
    check = one(probes.python_version(version))
    assert check.state == state
    assert bool(check.fix) == (state == "fail")
    assert ("figures" in check.found) == (version[:2] == (3, 13))


def test_a_lock_that_agrees_is_ok_whatever_the_comments_options_and_local_suffix(lock):
    torch = TORCH.split("+")[0]
    text = f"# made by hand\n--extra-index-url x\nnumpy=={NUMPY}  # a comment\ntorch=={torch}\n"
    assert one(probes.packages(lock(text))) == Check("ok", "packages", "2 as locked")
    assert one(probes.packages(lock(f"torch=={torch}+cu126"))).state == "ok"


def test_a_local_suffix_of_the_installed_version_does_not_count(lock, monkeypatch):
    monkeypatch.setattr(probes, "_version", lambda name: "2.13.0+cpu")
    assert one(probes.packages(lock("torch==2.13.0"))).state == "ok"
    assert "torch is 2.13.0+cpu, not 2.12.0" in one(probes.packages(lock("torch==2.12.0"))).found


def test_a_wrong_version_fails_with_the_fix(lock):
    check = one(probes.packages(lock("numpy==1.0.0\n")))
    assert check == Check("fail", "packages", f"numpy is {NUMPY}, not 1.0.0", "make lab")


def test_a_pin_for_another_platform_and_a_package_that_nobody_needs_are_skipped(lock):
    text = f'numpy==1.0.0; sys_platform == "amiga"\nno-such-package==1.0\nnumpy=={NUMPY}\n'
    assert one(probes.packages(lock(text))) == Check("ok", "packages", "1 as locked")


def test_a_package_that_labkit_requires_and_that_is_missing_fails(lock, tmp_path):
    (tmp_path / "pyproject.toml").write_text('[project]\ndependencies = ["no-such-package>=1"]\n')
    assert one(probes.packages(lock(f"numpy=={NUMPY}\n"))).found == "no-such-package is missing"


def test_more_than_five_differences_are_counted(lock, monkeypatch):
    monkeypatch.setattr(probes, "_version", lambda name: "1.0")
    check = one(probes.packages(lock("\n".join(f"p{n}==2.0" for n in range(8)))))
    assert check.found.endswith("p4 is 1.0, not 2.0 and 3 more")


def test_without_a_lock_the_declared_ranges_decide(monkeypatch):
    monkeypatch.setattr(probes, "find_lock", lambda: None)
    monkeypatch.setattr(metadata, "packages_distributions", lambda: {"labkit": ["late-interaction-lab"]})
    monkeypatch.setattr(metadata, "requires", lambda name: ["numpy>=2", 'nothing>=1; extra == "bench"'])
    assert one(probes.packages()) == Check("ok", "packages", "1 as declared")
    monkeypatch.setattr(metadata, "requires", lambda name: ["numpy<2"])
    assert one(probes.packages()).found == f"numpy is {NUMPY}, not <2"


def test_neither_lock_nor_metadata_is_a_warning(monkeypatch):
    monkeypatch.setattr(probes, "find_lock", lambda: None)
    monkeypatch.setattr(metadata, "packages_distributions", dict)
    assert one(probes.packages()).state == "warn"


def test_the_default_models_hashes_are_shown_or_its_error_is(monkeypatch, tmp_path):
    assert one(probes.default_model()).found == "weights 53aa5117…, tokenizer be50c362…, as expected"
    (tmp_path / "model.safetensors").write_bytes(b"other weights")
    monkeypatch.setenv("LABKIT_MODEL", str(tmp_path))
    check = one(probes.default_model())
    assert check.state == "fail"
    assert "sha256" in check.found


@pytest.mark.parametrize(("probe", "least"), [(probes.memory, 4), (probes.disk, 2)])
def test_little_memory_or_disk_warns_and_enough_does_not(probe, least):
    assert one(probe(least * GIB)).state == "ok"
    low = one(probe(least * GIB - 1))
    assert low.state == "warn"
    assert f"less than {least}" in low.found
    assert low.fix


def test_a_containers_limit_counts_and_its_absence_does_not(tmp_path):
    assert probes._container_room(tmp_path) == sys.maxsize
    (tmp_path / "memory.max").write_text("3000\n")
    (tmp_path / "memory.current").write_text("1000\n")
    assert probes._container_room(tmp_path) == 2000
    (tmp_path / "memory.max").write_text("max\n")
    assert probes._container_room(tmp_path) == sys.maxsize


def test_a_home_that_cannot_be_made_fails_with_the_fix(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path / "file" / "home"))
    check = one(probes.disk())
    assert check.state == "fail"
    assert "LABKIT_HOME" in check.fix


def test_widgets_fit_here():
    assert one(probes.widgets()).state == "ok"


def test_widgets_without_their_javascript_fail(tmp_path):
    (tmp_path / "anywidget").mkdir()
    (tmp_path / "anywidget" / "package.json").write_text("{}")
    check = one(probes.widgets([tmp_path]))
    assert check.state == "fail"
    assert check.found == "JupyterLab has no extension @jupyter-widgets/jupyterlab-manager"


def test_widgets_whose_halves_do_not_fit_fail(monkeypatch):
    real = probes._version
    monkeypatch.setattr(probes, "_version", lambda name: "1.0.0" if name == "jupyterlab_widgets" else real(name))
    assert "jupyterlab_widgets is 1.0.0, not ~=3" in one(probes.widgets()).found


def test_widgets_that_are_not_installed_warn(monkeypatch):
    monkeypatch.setattr(probes, "_version", lambda name: None)
    assert one(probes.widgets()).state == "warn"


def test_keys_are_set_or_not_and_no_more_is_said():
    text = str(Report(tuple(probes.sdks({"CO_API_KEY": SECRET, "OPENAI_API_KEY": " "}))))
    assert "CO_API_KEY set, COHERE_API_KEY not set" in text
    assert "OPENAI_API_KEY not set" in text
    assert "HF_TOKEN not set" in text
    assert SECRET not in text
    assert list(probes.sdks({"CO_API_KEY": SECRET})) == list(probes.sdks({"CO_API_KEY": "x"}))
    assert all(check.state == "ok" for check in probes.sdks({}))


def test_keys_do_not_reach_the_test_process(monkeypatch):
    monkeypatch.setenv("CO_API_KEY", SECRET)
    code = "import json, os; print(json.dumps([k for k in os.environ if k.endswith('_API_KEY')]))"
    assert probes.run_child(code, 30) == []


def test_runtimes_that_live_together_are_counted():
    code = 'print(\'{"torch": 1, "numba": 1, "pools": [["openmp", "libgomp", "/a/libgomp.so"]]}\')'
    threads, openmp = room.threads(code)
    assert threads.state == "ok"
    assert threads.found.startswith("torch 1, numba 1, on ")
    assert openmp == Check("ok", "OpenMP", "libgomp")


def test_more_threads_than_cores_warn():
    threads, _ = room.threads('print(\'{"torch": 4096, "numba": 1, "pools": []}\')')
    assert threads.state == "warn"
    assert threads.fix.startswith("set OMP_NUM_THREADS=")


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("import os; os.abort()", "exit code -"),
        ("import sys; sys.exit('OMP: Error #15: already initialized')", "exit code 1: OMP: Error #15"),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="exit codes of a crash differ")
def test_a_crash_of_the_test_process_is_reported_with_the_fix(code, found):
    check = one(room.threads(code))
    assert check.state == "fail"
    assert found in check.found
    assert "KMP_DUPLICATE_LIB_OK hides the message" in check.fix


def test_a_missing_package_in_the_test_process_has_its_own_fix():
    assert one(room.threads("import no_such_module")).fix == "make lab"


def test_a_test_process_that_hangs_is_given_up():
    assert "no answer from the test process" in one(room.threads("while True: pass", timeout=0.3)).found


@pytest.mark.parametrize("pair", [("libomp", "libiomp"), ("libomp", "libomp")])
def test_two_llvm_or_intel_runtimes_warn(pair):
    check = room.openmp([("openmp", name, f"/site/{n}/lib/{name}.dylib") for n, name in enumerate(pair)])
    assert check.state == "warn"
    assert check.found == f"2 LLVM or Intel runtimes in one process: 0/lib/{pair[0]}.dylib, 1/lib/{pair[1]}.dylib"


def test_one_llvm_runtime_beside_gnus_is_no_clash():
    pools = [("openmp", "libomp", "/a/libomp.so"), ("openmp", "libgomp", "/b/libgomp.so"), ("blas", "mkl_rt", "/c/mkl")]
    assert room.openmp(pools) == Check("ok", "OpenMP", "libgomp, libomp, mkl_rt")


def test_a_switch_that_hides_a_clash_warns(monkeypatch):
    monkeypatch.setenv("KMP_DUPLICATE_LIB_OK", "TRUE")
    assert room.openmp([]).state == "warn"


def test_a_probe_that_breaks_is_a_finding():
    def broken_probe():
        raise KeyError("oops")

    check = one(room._guarded(broken_probe))
    assert (check.state, check.what) == ("fail", "broken probe")
    assert "KeyError: 'oops'" in check.found


def test_the_doctor_reports_everything_in_a_fixed_order_without_keys(monkeypatch, tmp_path):
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path))
    monkeypatch.setenv("CO_API_KEY", SECRET)
    monkeypatch.setattr(room.probes, "packages", lambda: [Check("ok", "packages", "3 as locked")])
    report = doctor()
    named = [check.what.split(" (")[0] for check in report.checks]
    assert named == [
        *("Python", "packages", "default model", "memory", "disk", "threads", "OpenMP", "widgets"),
        *("cohere", "openai", "anthropic", "Hugging Face"),
    ]
    assert SECRET not in str(report) + report._repr_html_()
    assert report.ok, str(report)


def test_importing_the_doctor_loads_neither_torch_nor_numpy():
    code = "import sys, labkit.course.doctor; print([m for m in ('torch', 'numpy', 'sklearn') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
