# Two versions of the package in local repositories: $stage/first, and $stage/second with a higher version and another default configuration.
mkdir "$stage/first" "$stage/second"
cp "${E2E_RPMS:?}"/*0.1.0*.rpm "$stage/first"
cp "${E2E_RPMS:?}"/*0.1.1*.rpm "$stage/second"
first_version=0.1.0 second_version=0.1.1 second_mark='# new'
createrepo_c -q "$stage/first"
createrepo_c -q "$stage/second"
rpmbuild -bb --quiet --define "_topdir $stage/stub" --define "_rpmdir $stage" --define "_build_name_fmt stub.rpm" "$here/stub.spec"
