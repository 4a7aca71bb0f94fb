# The container image of the installed program, built from nothing and run by runc: no registry is asked for anything.
# The process namespace is the host's, as with hostPID: true and --pid=host; then one of its own with the host's /proc mounted.

store=(--root "$stage/images" --runroot "$stage/images-run" --storage-driver vfs)
# contained OPTION... -- COMMAND...: no capabilities, the default seccomp profile.
contained() { buildah "${store[@]}" run --isolation oci --runtime "$(command -v runc)" --network host --cap-drop all "$@" 3>&-; }
image() { buildah "${store[@]}" inspect --type image thread-exporter:e2e | jq -r ".OCIv1.config | $1"; }

step "container: the image is built, and is not root's"
in_box cat /usr/bin/thread-exporter > "$stage/thread-exporter"
chmod 755 "$stage/thread-exporter"
BINARY=$stage/thread-exporter BUILDAH=${store[*]} packaging/container/build thread-exporter:e2e
same "user" 65532:65532 "$(image .User)"
same "entry point" '["/usr/bin/thread-exporter"] ["run"]' "$(image '"\(.Entrypoint) \(.Cmd)"')"
same "port" '["9199/tcp"]' "$(image '.ExposedPorts | keys | tostring')"
ctr=$(buildah "${store[@]}" from --pull-never thread-exporter:e2e)
note "image: $(du -sm "$(buildah "${store[@]}" mount "$ctr")" | cut -f1) MB"

step "container: FILTER and PORT choose; it runs without root and without any capability"
port=19$((RANDOM % 900 + 100))
contained --pid host --env "FILTER=$$" --env "PORT=$port" "$ctr" -- /usr/bin/thread-exporter > "$stage/container.log" 2>&1 &
container=$!
image_answers() { curl -sSf -o "$stage/container.metrics" "http://localhost:$port/metrics"; }
within 30 image_answers
grep -q "^perfscale_process_cpu_seconds_total{.*pid=\"$$\"" "$stage/container.metrics" || fail "process $$ is not in its metrics"
grep -q "^thread_exporter_filter_matched_processes{filter=\"$$\"} 1$" "$stage/container.metrics" || fail "the filter did not match one process"
daemon=$(pgrep -u 65532 -f '^/usr/bin/thread-exporter$')
status() { sed -n "s/^$1:\t//p" "/proc/$daemon/status"; }
same "capabilities" 0000000000000000,0000000000000000 "$(status CapEff),$(status CapBnd)"
same "seccomp filters on" 2 "$(status Seccomp)"

step "container: it is ready, and SIGTERM ends it cleanly"
same "answer of /-/ready" "thread-exporter is ready." "$(curl -sSf "http://localhost:$port/-/ready")"
kill "$daemon"
wait $container
daemon=

step "container: the configuration is a mount, and a bad one ends it with 78"
printf '[[filter]]\nname = "mine"\npid = [%s]\n' $$ > "$stage/container.toml"
mounted=(--pid host --volume "$stage/container.toml:/etc/thread-exporter.toml:ro" "$ctr" -- /usr/bin/thread-exporter)
contained "${mounted[@]}" once > "$stage/once"
grep -q '^thread_exporter_filter_matched_processes{filter="mine"} 1$' "$stage/once" || fail "the mounted configuration is not active"
printf '[[filter]]\npidd = [1]\n' > "$stage/container.toml"
code=0; contained "${mounted[@]}" once || code=$?
same "exit code" 78 $code

step "container: in a process namespace of its own it reads /host/proc"
contained --volume /proc:/host/proc:ro,rslave "$ctr" -- /usr/bin/thread-exporter once --filter $$ > "$stage/once"
grep -q "^perfscale_process_cpu_seconds_total{.*pid=\"$$\"" "$stage/once" || fail "process $$ is not in its metrics"
