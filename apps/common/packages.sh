# shellcheck shell=sh
# The Debian 12 packages that clawws needs, and their installation. Sourced by apps/quickstart.sh and
# tests/run.sh; this list is the only one.
# shellcheck disable=SC2034

# To build and run: compiler, build tools, Boost, OpenSSL, SQLite, CLI11, nlohmann/json, libxcrypt; curl to publish.
clawws_packages="g++ cmake ninja-build libboost1.81-dev libssl-dev libsqlite3-dev libcli11-dev nlohmann-json3-dev
  libcrypt-dev curl ca-certificates"
# To test: GoogleTest, shellcheck, sqlite3 to look into a store, man for the manual pages, and Node for the client for browsers.
# ccache makes the second time quick.
clawws_test_packages="libgtest-dev shellcheck sqlite3 man-db groff-base ccache openssl nodejs"
# The browsers that the dashboard is tested in, WebKit with its driver and a display; npm, unless it came with Node.
clawws_browser_packages="chromium firefox-esr webkit2gtk-driver xvfb"
command -v npm >/dev/null 2>&1 || clawws_browser_packages="$clawws_browser_packages npm"
# To fuzz.
clawws_fuzz_packages="clang libclang-rt-14-dev"

# install_packages NAME...: installs what is missing; says the one line to run when it may not.
install_packages() {
  if ! command -v dpkg-query >/dev/null 2>&1; then
    echo "This is not Debian: see to it that there is what these packages of Debian 12 hold: $*" >&2
    return 0
  fi
  missing=
  for package in "$@"; do
    case $(dpkg-query -W -f='${Status}' "$package" 2>/dev/null) in
      "install ok installed") ;;
      *) missing="$missing $package" ;;
    esac
  done
  [ -n "$missing" ] || return 0

  if [ "$(id -u)" = 0 ]; then
    root=
  elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    root="sudo -n"
  else
    echo "Packages are missing. Run this line, then this script again:" >&2
    echo "  sudo apt-get update && sudo apt-get install -y --no-install-recommends$missing" >&2
    return 1
  fi
  echo "== installing:$missing" >&2
  # Unquoted on purpose: a list of words. `env` gives the variable also through sudo.
  # shellcheck disable=SC2086
  $root apt-get update -q >&2 &&
    $root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing >&2
}
