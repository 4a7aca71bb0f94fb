# The log file is written under the sandbox, with the same events as the journal: its keys are as shipped.

step "the log file is written under the sandbox and has the journal's events"
in_box grep -q '^file = "auto"' /etc/thread-exporter.toml
same "owner of the log file" thread-exporter "$(in_box stat -c %U $log_file)"
same "log files that everybody may read" "" "$(in_box find $log_file -perm /007)"
same thread_exporter_log_file_writable 1 "$(own thread_exporter_log_file_writable)"
# A record may be written between the two readings.
within 10 same_events
note "$events events"
# Start, a hundred reloads and the other steps: two empty logs would be equal too.
[ "$events" -gt 100 ] || fail "only $events events"
