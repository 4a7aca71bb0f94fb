# It is running again after a crash or a hang.

responds() { in_box curl -sSf -o /dev/null http://localhost:9199/-/ready; }
restarted() { [ "$(unit NRestarts)" = "$1" ] && [ "$(unit ActiveState)" = active ] && [ "$(unit MainPID)" != "$pid" ] && responds; }

# The unit's 30 seconds, shortened to keep the test short. It takes effect with the next start.
in_box mkdir -p /run/systemd/system/thread-exporter.service.d
in_box sh -c 'printf "[Service]\nWatchdogSec=4\n" > /run/systemd/system/thread-exporter.service.d/e2e.conf'
in_box systemctl daemon-reload

step "killed by SIGKILL, it is restarted"
same "restarts so far" 0 "$(unit NRestarts)"
in_box kill -KILL "$pid"
within 20 restarted 1
pid=$(unit MainPID)
scrape
same "processes that the filter matches" 1 "$(value thread_exporter_filter_matched_processes 'filter="try-100"')"

step "stopped by SIGSTOP, the watchdog restarts it"
in_box kill -STOP "$pid"
within 40 restarted 2
contains "the journal" "Watchdog timeout" "$(in_box journalctl -u thread-exporter --no-pager -o cat)"
in_box rm -r /run/systemd/system/thread-exporter.service.d
in_box systemctl daemon-reload
