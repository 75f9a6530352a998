#!/usr/bin/env bash
# Sets up what the make targets need, all of it inside the checkout, and remembers what is done.
# Given the name of a step (packages, azurite, livekit) it does that step only; given python or
# uv it prints which one it would use.
set -euo pipefail

readonly uv_version=0.13.9 livekit_version=1.13.5
cd "$(dirname "${BASH_SOURCE[0]}")/.."
readonly root=$PWD state=$PWD/dev/.state
readonly print_if_fitting='import sys
fits = sys.version_info[:2] == (3, 13) and "t" not in sys.abiflags
print(sys._base_executable) if fits else sys.exit(1)'
python='' uv='' scratch='' child=''

main() {
  case ${1-} in
    packages | azurite | livekit) are_done "$@" || set_up "$@" ;;
    '') are_done packages azurite livekit || set_up packages azurite livekit ;;
    python | uv) begin && "find_$1" && echo "${!1}" || give_up "missing: $("$1_is_missing")" ;;
    *) give_up "there is no step called '$1'" ;;
  esac
}

set_up() {
  local step
  begin
  check_tools "$@"
  one_at_a_time
  for step; do
    are_done "$step" || do_once "$step"
  done
}

begin() {
  mkdir -p "$state/bin" "$state/done"
  trap interrupted INT TERM HUP
  trap 'rm -rf "$scratch"' EXIT
  scratch=$(mktemp -d "$state/scratch.XXXXXX")
}

are_done() {
  local step
  for step; do
    [[ -e $("result_of_$step") && -e $state/done/$step ]] || return 1
    [[ $(<"$state/done/$step") == "$("key_of_$step")" ]] || return 1
  done
}

do_once() {
  # A "begun" that is there already was left by a set-up that did not come to its end.
  local was_cut_short=false
  [[ -e $state/done/$1.begun ]] && was_cut_short=true
  touch "$state/done/$1.begun"
  rm -f "$state/done/$1"
  "make_$1"
  "key_of_$1" >"$scratch/key"
  mv "$scratch/key" "$state/done/$1"
  rm "$state/done/$1.begun"
}

result_of_packages() { echo "$root/.venv/bin/python"; }
key_of_packages() { echo "$root $(cat requirements-dev.txt sdk/python/pyproject.toml | cksum)"; }
make_packages() {
  if $was_cut_short || [[ $(.venv/bin/python -Ic "$print_if_fitting" 2>/dev/null) != "$python" ]]; then
    run "$uv" venv --quiet --no-project --clear --python "$python" .venv
  fi
  say "installing the Python packages"
  # PYTHONDONTWRITEBYTECODE may be set, and without byte code every start costs a second more.
  run "$uv" pip sync --quiet --require-hashes --compile-bytecode --python .venv/bin/python requirements-dev.txt
  run "$uv" pip install --quiet --no-deps --no-build-isolation --python .venv/bin/python -e sdk/python
}

result_of_azurite() { echo "$root/dev/node_modules/azurite/dist/src/table/main.js"; }
key_of_azurite() { cksum <dev/package-lock.json; }
make_azurite() {
  say "installing Azurite"
  run npm --prefix dev ci --ignore-scripts --silent --logs-dir="$scratch"
}

result_of_livekit() { echo "$state/bin/livekit-server"; }
key_of_livekit() { echo "$livekit_version"; }
make_livekit() {
  local target=$state/bin/livekit-server
  if is_livekit "$target"; then return; fi
  if is_livekit livekit-server; then
    ln -sf "$(command -v livekit-server)" "$target"
    return
  fi
  say "building livekit-server $livekit_version: a few minutes, this once"
  # Go keeps its telemetry beside its settings: it gets a folder here, and the settings from where they are.
  mkdir -p "$scratch/config/go/telemetry"
  echo off >"$scratch/config/go/telemetry/mode"
  run env GOENV="${GOENV:-${XDG_CONFIG_HOME:-$HOME/.config}/go/env}" XDG_CONFIG_HOME="$scratch/config" \
    GOBIN="$scratch" GOFLAGS= CGO_ENABLED=0 \
    go install "github.com/livekit/livekit-server/cmd/server@v$livekit_version"
  mv "$scratch/server" "$target"
}

check_tools() {
  local step problems=()
  find_python || problems+=("$(python_is_missing)")
  for step; do
    are_done "$step" && continue
    case $step in
      packages) find_uv || problems+=("$(uv_is_missing)") ;;
      azurite) is_node || problems+=("Node.js 20 or newer with npm (nodejs.org)") ;;
      livekit) is_livekit "$(result_of_livekit)" || is_livekit livekit-server || command -v go >/dev/null ||
        problems+=("livekit-server $livekit_version on the PATH, or Go to build it with (go.dev)") ;;
    esac
  done
  ((${#problems[@]} == 0)) || give_up "missing: $(printf '%s; ' "${problems[@]}" | sed 's/; $//')"
}

is_node() {
  command -v npm >/dev/null && [[ $(node --version 2>/dev/null) =~ ^v([0-9]+) ]] && ((BASH_REMATCH[1] >= 20))
}

is_livekit() { [[ $("$1" --version 2>/dev/null) == "livekit-server version $livekit_version" ]]; }

python_is_missing() { echo "Python 3.13 (python.org, or 'pyenv install 3.13')"; }

# A python3.13 on the PATH may be a shim that fails, so it has to run.
find_python() {
  local candidate
  for candidate in python3.13 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13.*/bin/python3.13; do
    if python=$("$candidate" -Ic "$print_if_fitting" 2>/dev/null); then return; fi
  done
  find_uv || return 1
  python=$(find_uv_python) && return
  say "installing Python 3.13"
  run_or_fail "$uv" python install --quiet --no-bin --install-dir "$state/python" 3.13 && python=$(find_uv_python)
}

find_uv_python() {
  local found
  found=$(UV_PYTHON_INSTALL_DIR=$state/python "$uv" python find --no-project --no-python-downloads 3.13 2>/dev/null) ||
    found=$("$uv" python find --no-project --no-python-downloads 3.13 2>/dev/null) || return 1
  "$found" -Ic "$print_if_fitting"
}

uv_is_missing() { echo "uv ${uv_version%.*} on the PATH, or a python3 with venv and pip to install it with"; }

find_uv() {
  uv=$(command -v uv) && [[ $("$uv" --version 2>/dev/null) == "uv ${uv_version%.*}."* ]] && return
  uv=$state/bin/uv-$uv_version
  [[ -x $uv ]] && return
  say "installing uv $uv_version"
  "${python:-python3}" -m venv "$scratch/uv" >/dev/null 2>&1 &&
    run_or_fail "$scratch/uv/bin/pip" install --quiet --disable-pip-version-check "uv==$uv_version" &&
    mv "$scratch/uv/bin/uv" "$uv"
}

# The lock belongs to the open file, so this shell and what it runs hold it after that Python has ended.
one_at_a_time() {
  exec 9>"$state/set-up.lock"
  "$python" -Ic 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX | fcntl.LOCK_NB)' 2>/dev/null && return
  say "waiting for another set-up to end"
  run "$python" -Ic 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX)'
}

run() { run_or_fail "$@" || give_up "set-up stopped: '${1##*/} $2' failed"; }

# In a process group of its own, so that an interruption ends all of it.
run_or_fail() {
  set -m
  "$@" </dev/null >&2 &
  set +m
  child=$!
  wait "$child" && child=''
}

interrupted() {
  [[ -z $child ]] || kill -TERM -- "-$child" 2>/dev/null || true
  wait
  exit 130
}

say() { echo "setup: $*" >&2; }

give_up() {
  say "$*"
  exit 1
}

main "$@"
