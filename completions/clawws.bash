# bash completion for clawws. Options are offered after a dash, values where they are a few words or a file.

_clawws_words() {
  mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur")
}

_clawws_files() {
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen -f -- "$cur")
}

_clawws_directories() {
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen -d -- "$cur")
}

_clawws_serve() {
  case $prev in
    --cert | --key | --upstream-cacert | --users | --env-file | --config) _clawws_files ;;
    --upstream) _clawws_words "http://127.0.0.1:3000" ;;
    --state-dir) _clawws_directories ;;
    --store) _clawws_words "sqlite memory" ;;
    --durability) _clawws_words "written fsync" ;;
    --log-format) _clawws_words "auto text logfmt json" ;;
    --listen) _clawws_words "127.0.0.1:8443 0.0.0.0:8443" ;;
    --threads | --auth-upstream | --upstream-timeout | --publisher | --origin | --trusted-proxy | --allow-type | --max-event | --max-batch | --max-body | \
      --retain-events | --retain-age | --retain-bytes | --log-memory | --max-clients | --max-clients-per-ip | \
      --max-lag-time | --ping-interval | --drain | --handshake-timeout | --header-timeout | --body-timeout | \
      --accept-rate | --message-rate | --replay-rate) ;;
    *)
      _clawws_words "--listen --cert --key --hsts --threads
        --upstream --upstream-cacert --upstream-timeout
        --users --env-file --auth-upstream --publisher --origin --trusted-proxy
        --stdin --allow-type --max-event --max-batch --max-body
        --state-dir --store --durability --retain-events --retain-age --retain-bytes --log-memory
        --max-clients --max-clients-per-ip --max-lag-time --ping-interval --drain
        --handshake-timeout --header-timeout --body-timeout --accept-rate --message-rate --replay-rate
        --check --log-format --verbose --quiet --config --print-config --version --help"
      ;;
  esac
}

_clawws_tail() {
  case $prev in
    --cursor-file | --cacert | --cert | --key | --netrc-file | --config) _clawws_files ;;
    --password-file | --token-file)
      _clawws_files
      [[ $cur == "" || $cur == - ]] && COMPREPLY+=(-)
      ;;
    --state-dir) _clawws_directories ;;
    --on-gap) _clawws_words "report exit ignore" ;;
    --meta) _clawws_words "inline none" ;;
    -o | --output) _clawws_words "pretty ndjson" ;;
    --color | --status) _clawws_words "auto always never" ;;
    --time) _clawws_words "local utc iso delta none" ;;
    --since) _clawws_words "earliest now 10m 1h" ;;
    --password-command) mapfile -t COMPREPLY < <(compgen -c -- "$cur") ;;
    -n | --last | -u | --user | --url | --queue | --count | --for | --timeout | --idle-timeout | --pinnedpubkey | \
      --resolve | --connect-timeout | --max-retries | --max-outage | --retry-base | --retry-cap) ;;
    *)
      if [[ $cur == -* ]]; then
        _clawws_words "--since --last --state --follow --cursor-file --on-gap
          --output --meta --time --color --status --queue --quiet --verbose
          --count --until-live --for --timeout --idle-timeout
          --user --password-file --token-file --password-command --netrc --netrc-file
          --url --state-dir --cacert --cert --key --pinnedpubkey --resolve --insecure
          --connect-timeout --wait --no-reconnect --max-retries --max-outage --retry-base --retry-cap
          --config --print-config --version --help"
      else
        _clawws_words "session.created session.killed agent.status cron.executed gateway.status bench.sample"
      fi
      ;;
  esac
}

_clawws_bench_compare() {
  case $prev in
    --min-effect) ;;
    --json) _clawws_files ;;
    --color) _clawws_words "auto always never" ;;
    --config) _clawws_files ;;
    *)
      if [[ $cur == -* ]]; then
        _clawws_words "--min-effect --json --color --config --print-config --version --help"
      else
        _clawws_files
      fi
      ;;
  esac
}

_clawws_bench_report() {
  case $prev in
    --junit | --csv | --html | --config) _clawws_files ;;
    --color) _clawws_words "auto always never" ;;
    *)
      if [[ $cur == -* ]]; then
        _clawws_words "--junit --csv --html --color --config --print-config --version --help"
      else
        _clawws_files
      fi
      ;;
  esac
}

_clawws_bench_doctor() {
  case $prev in
    -c | --connections) ;;
    --color) _clawws_words "auto always never" ;;
    --config) _clawws_files ;;
    *) _clawws_words "--connections --color --config --print-config --version --help" ;;
  esac
}

_clawws_bench() {
  if ((COMP_CWORD > 2)); then
    case ${COMP_WORDS[2]} in
      compare | report | doctor)
        "_clawws_bench_${COMP_WORDS[2]}"
        return
        ;;
    esac
  elif [[ $cur != -* ]]; then
    _clawws_words "compare report doctor"
    return
  fi
  case $prev in
    --cacert | --cert | --key | --netrc-file | --config) _clawws_files ;;
    --password-file | --token-file | --json | --junit | --csv | --html)
      _clawws_files
      [[ $cur == "" || $cur == - ]] && COMPREPLY+=(-)
      ;;
    --state-dir) _clawws_directories ;;
    -s | --scenario) _clawws_words "steady idle connect-storm slow-consumer churn soak reconnect-storm resume restart restart:kill9" ;;
    --profile) _clawws_words "smoke ci full" ;;
    --count-lost) _clawws_words "in out" ;;
    --progress | --color) _clawws_words "auto always never" ;;
    --spawn) _clawws_words "'clawws serve'" ;;
    --password-command) mapfile -t COMPREPLY < <(compgen -c -- "$cur") ;;
    -c | --connections | -r | --rate | -d | --duration | --size | --publishers | --batch | --connect-rate | \
      --stalled | --churn | --leavers | --away | --warmup | --drain | --threads | --seed | -t | --threshold | --retries | --repeat | --server-pid | \
      -u | --user | --url | --pinnedpubkey | --resolve | --connect-timeout) ;;
    *)
      _clawws_words "--scenario --profile --connections --rate --duration --size --publishers --batch
        --connect-rate --stalled --churn --leavers --away --warmup --drain --threads --seed
        --threshold --count-lost --retries --repeat
        --json --junit --csv --html --progress --color --quiet --verbose
        --spawn --server-pid
        --user --password-file --token-file --password-command --netrc --netrc-file
        --url --state-dir --cacert --cert --key --pinnedpubkey --resolve --insecure --connect-timeout
        --config --print-config --version --help"
      ;;
  esac
}

_clawws() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
  COMPREPLY=()
  # bash splits "--color=al" at the equals sign.
  if [[ $cur == = ]]; then
    cur=
  elif [[ $prev == = ]] && ((COMP_CWORD >= 3)); then
    prev=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  if ((COMP_CWORD == 1)); then
    _clawws_words "serve tail bench help --help --version"
    return
  fi
  case ${COMP_WORDS[1]} in
    serve) _clawws_serve ;;
    tail) _clawws_tail ;;
    bench) _clawws_bench ;;
    help) _clawws_words "serve tail bench protocol" ;;
  esac
}

complete -F _clawws clawws
