// Validates Kubernetes objects against the schemas of the packages beside this file.
// In: JSON, an array of {object, patch}. Out: for each, an array of errors; empty: valid. In a patch, no field is required.
'use strict';

// The class of an object, which has its schema as compiled code: kubernetes-models/apps/v1/DaemonSet.
function model({ apiVersion, kind }) {
    for (const name of ['kubernetes-models', '@kubernetes-models/prometheus-operator']) {
        let path;
        try {
            path = require.resolve(`${name}/${apiVersion}/${kind}`);
        } catch {
            continue;
        }
        const module = require(path);
        // Parts of objects, such as v1/Container, have no kind.
        if (module[kind]?.kind === kind)
            return module[kind];
    }
}

// The compiled schema accepts fields that it does not know, but it reads only those that it knows: a field that was never read is unknown.
function recorded(value, path, unread) {
    if (value === null || typeof value !== 'object')
        return value;
    if (Array.isArray(value))
        return value.map((item, i) => recorded(item, `${path}/${i}`, unread));
    const copy = {};
    for (const key of Object.keys(value)) {
        unread.add(`${path}/${key}`);
        copy[key] = recorded(value[key], `${path}/${key}`, unread);
    }
    return new Proxy(copy, {
        get(target, key) {
            unread.delete(`${path}/${String(key)}`);
            return target[key];
        },
    });
}

function validate({ object, patch }) {
    const type = model(object);
    if (!type)
        return [`no schema for ${object.apiVersion} ${object.kind}`];
    const unread = new Set();
    const errors = [];
    try {
        type.prototype.validate.call(recorded(object, '', unread));
    } catch (error) {
        if (!error.errors)
            throw error;
        errors.push(...error.errors.filter(e => !patch || e.keyword !== 'required').map(e => `${e.instancePath} ${e.message}`.trim()));
    }
    for (const path of unread) {
        // The fields of an unknown field are never read either.
        if (!unread.has(path.slice(0, path.lastIndexOf('/'))))
            errors.push(`${path} is not in the schema`);
    }
    return errors;
}

const objects = JSON.parse(require('fs').readFileSync(0, 'utf8'));
process.stdout.write(JSON.stringify(objects.map(validate)));
