#!/bin/sh
# Installs what is missing, builds, and runs all tests: as released, with AddressSanitizer and
# UndefinedBehaviorSanitizer, and the threaded parts with ThreadSanitizer. Ends with a line of counts.
#   sh tests/run.sh [--full] [SUITE...]     suites: plain asan tsan fuzz; without one: plain asan tsan
#   --full                                  all suites, fuzzing included, and the long loops
# CLAWWS_BUILD_DIR names the folder for the builds (default: build), JOBS the number of parallel jobs.
set -u
cd "$(dirname "$0")/.." || exit 1
. apps/common/packages.sh

full=0
suites=
for argument in "$@"; do
  case $argument in
    --full) full=1 ;;
    plain | asan | tsan | fuzz) suites="$suites $argument" ;;
    -h | --help) sed -n '2,/^set/s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "run.sh: unknown argument '$argument'; try --help" >&2; exit 2 ;;
  esac
done
if [ -z "$suites" ]; then
  suites="plain asan tsan"
  [ $full = 0 ] || suites="$suites fuzz"
fi

packages="$clawws_packages $clawws_test_packages"
case $suites in *plain*) packages="$packages $clawws_browser_packages" ;; esac
case $suites in *fuzz*) packages="$packages $clawws_fuzz_packages" ;; esac
# shellcheck disable=SC2086
install_packages $packages || exit 1

builds=${CLAWWS_BUILD_DIR:-build}
jobs=${JOBS:-$(nproc)}
passed=0
failed=0
skipped=0
if [ $full = 1 ]; then
  CLAWWS_TEST_LONG=1 # read by the tests that have a long form
  export CLAWWS_TEST_LONG
fi
# The first finding of a sanitizer ends the process, with the stack it needs to be understood.
UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1
ASAN_OPTIONS=detect_stack_use_after_return=1
export UBSAN_OPTIONS TSAN_OPTIONS ASAN_OPTIONS

# gcc 12's sanitizers cannot place their shadow memory where the kernel randomises addresses widely.
fixed_addresses=
if setarch "$(uname -m)" -R true 2>/dev/null; then
  fixed_addresses="setarch $(uname -m) -R"
fi

# suite NAME CTEST_ARGUMENTS -- CMAKE_ARGUMENTS: builds and tests in one folder and adds to the counts.
suite() {
  name=$1
  folder=$builds/$name
  shift
  ctest_arguments=
  while [ "$1" != -- ]; do
    ctest_arguments="$ctest_arguments $1"
    shift
  done
  shift
  started=$(date +%s)
  echo "== $name: building in $folder"
  if ! { cmake -S . -B "$folder" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCLAWWS_WERROR=ON "$@" >"$folder.log" 2>&1 ||
    { cat "$folder.log"; false; }; } ||
    ! $fixed_addresses ninja -C "$folder" -j "$jobs"; then
    echo "== $name: the build failed"
    failed=$((failed + 1))
    return
  fi
  echo "== $name: built in $(($(date +%s) - started)) s; testing"
  log=$folder/tests.log
  rm -f "$log"
  # shellcheck disable=SC2086
  $fixed_addresses ctest --test-dir "$folder" -j "$jobs" --output-on-failure --no-tests=error --output-log "$log" $ctest_arguments
  # "97% tests passed, 1 tests failed out of 34"; without such a line nothing ran, which is a failure.
  counts=$(sed -n 's/^[0-9]*% tests passed, \([0-9]*\) tests failed out of \([0-9]*\)$/\1 \2/p' "$log" | tail -n 1)
  if [ -z "$counts" ]; then
    echo "== $name: no test ran"
    failed=$((failed + 1))
    return
  fi
  bad=${counts% *}
  left_out=$(grep -c '\*\*\*Skipped' "$log")
  failed=$((failed + bad))
  skipped=$((skipped + left_out))
  passed=$((passed + ${counts#* } - bad - left_out))
  echo "== $name: done in $(($(date +%s) - started)) s"
}

mkdir -p "$builds" || exit 1
for name in $suites; do
  case $name in
    plain) suite plain -- -DCLAWWS_SANITIZE= ;;
    # The library inside the tools: so both ways of building it are tested.
    asan) suite asan -- -DCLAWWS_SANITIZE=address -DBUILD_SHARED_LIBS=OFF ;;
    tsan) suite tsan -L threads -- -DCLAWWS_SANITIZE=thread ;;
    fuzz) suite fuzz -- -DCLAWWS_FUZZ=ON -DCMAKE_CXX_COMPILER=clang++ ;;
  esac
done

line="$passed passed, $failed failed"
[ $skipped = 0 ] || line="$line, $skipped skipped"
echo "$line"
[ $failed = 0 ] && [ $passed -gt 0 ]
