# A real Prometheus with the scrape job of the README.

# query EXPRESSION [JQ-FILTER]
query() { in_box curl -sSfG http://localhost:9090/api/v1/query --data-urlencode "query=$1" | jq -r ".data.result | ${2:-.}"; }

step "Prometheus accepts the README's scrape job"
awk '/<!-- scrape-job -->/ { marked = 1 } marked && /^```/ { if (inside) exit; inside = 1; next } inside' README.md > "$stage/readme.yml"
grep -q 'localhost:9199' "$stage/readme.yml" || fail "README.md has no scrape job for localhost:9199 after <!-- scrape-job -->"
# Only the interval is shorter.
sed 's/scrape_interval: .*/scrape_interval: 1s/' "$stage/readme.yml" > "$stage/prometheus.yml"
promtool check config "$stage/readme.yml"
promtool check config "$stage/prometheus.yml"
in_box systemd-run --quiet --unit=prometheus-e2e --uid=prometheus --property=StateDirectory=prometheus-e2e \
    prometheus --config.file=/run/e2e/prometheus.yml --storage.tsdb.path=/var/lib/prometheus-e2e --web.listen-address=localhost:9090
in_box systemctl is-active prometheus-e2e
six_scrapes() { [ "$(query 'count_over_time(up[1m])' '.[0].value[1] // "0"')" -ge 6 ]; }
within 40 six_scrapes

step "Prometheus: up is 1, and the hot thread has the highest rate()"
same up 1 "$(query 'min_over_time(up[1m])' '.[0].value[1]')"
same "the thread with the highest rate" "$hot hot" "$(query 'topk(1, rate(perfscale_thread_cpu_seconds_total[4s]))' '.[0].metric | "\(.tid) \(.tname)"')"
rate=$(query "rate(perfscale_thread_cpu_seconds_total{tid=\"$hot\"}[4s])" '.[0].value[1]')
note "rate of hot: $rate"
# Its share of a core depends on the load of the machine; ticks read as seconds would be a hundred times too much.
between "the rate of hot, in nanoseconds per second" 100000000 1100000000 "$(nanoseconds "$rate")"

step "Prometheus: a new filter shows within two scrapes"
start_load other
request other "spawn busy 30"; busy=$response
in_box sed -i 's|^comm = \["workload"\]|comm = ["other"]|' /etc/thread-exporter.toml
in_box systemctl reload thread-exporter
reloaded=$(date +%s.%N)
new_shows() { [ -n "$(query 'perfscale_thread_cpu_seconds_total{pname="other",tname="busy"}' '.[0].value[1] // empty')" ]; }
within 20 new_shows
# Which scrape after the reload had the new thread, by the scrapes' own times.
times() { query "$1[30s]" ".[0].values[] | .[0] | select(. $2)"; }
appeared=$(times 'perfscale_thread_cpu_seconds_total{pname="other",tname="busy"}' "> 0" | head -1)
scrapes=$(times up "> $reloaded and . <= $appeared" | wc -l)
[ "$scrapes" -le 2 ] || fail "the new filter showed in scrape $scrapes after the reload"
[ -n "$(times "perfscale_thread_cpu_seconds_total{tid=\"$hot\"}" "<= $reloaded")" ] || fail "no samples of the old filter before the reload"
same "samples of the old filter after the reload" "" "$(times "perfscale_thread_cpu_seconds_total{tid=\"$hot\"}" "> $reloaded")"
in_box sed -i 's|^comm = \["other"\]|comm = ["workload"]|' /etc/thread-exporter.toml
in_box systemctl reload thread-exporter
# From here on a whole core is free.
request workload "exit $hot"
request other "exit $busy"

no_prometheus_warning() {
    in_box systemctl is-active prometheus-e2e
    in_box journalctl -u prometheus-e2e -o cat --no-pager > "$stage/prometheus.log"
    grep -q 'level=info' "$stage/prometheus.log"
    fails grep -E 'level=(warn|error)' "$stage/prometheus.log"
}
step "Prometheus: no scrape logged a warning"
no_prometheus_warning
