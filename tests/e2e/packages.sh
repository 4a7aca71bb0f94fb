# Two versions of the package in local repositories: $stage/first, and $stage/second with a higher version and another default configuration.
mkdir "$stage/first" "$stage/second"
first_version=$(sed -n 's:.*<Version>\(.*\)</Version>.*:\1:p' Directory.Build.props)
second_version=$first_version.1 second_mark='# of the second version'
if [ -n "${E2E_RPMS:-}" ]; then
    cp "$E2E_RPMS"/thread-exporter-"$first_version"-*.rpm "$E2E_RPMS"/thread-exporter-debuginfo-"$first_version"-*.rpm "$stage/first"
    cp "$E2E_RPMS"/thread-exporter-"$second_version"-*.rpm "$stage/second"
else
    make rpm
    mv dist/thread-exporter-"$first_version"-*.rpm dist/thread-exporter-debuginfo-"$first_version"-*.rpm "$stage/first"
    # The second is built in a copy of the tree, whose default configuration has one more line. The first one's build output has the
    # same sources, so that only the daemon's own assembly is compiled again.
    mkdir "$stage/tree"
    tar -cf - --exclude=./dist --exclude=./.git --exclude=./tests . | tar -xf - -C "$stage/tree"
    echo "$second_mark" >> "$stage/tree/etc/thread-exporter.toml"
    make -C "$stage/tree" rpm VERSION="$second_version"
    mv "$stage/tree"/dist/thread-exporter-"$second_version"-*.rpm "$stage/second"
fi
createrepo_c -q "$stage/first"
createrepo_c -q "$stage/second"
stub() { # stub FILE ARGUMENT...
    rpmbuild -bb --quiet --define "_topdir $stage/stub" --define "_rpmdir $stage" --define "_build_name_fmt $1" "${@:2}" "$here/stub.spec"
}
stub stub.rpm
stub old-stub.rpm --define 'glibc 2.33'
