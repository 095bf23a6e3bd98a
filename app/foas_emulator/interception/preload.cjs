// Node's own http clients use no proxy, so this takes their connections to the emulator. NODE_OPTIONS loads it.
// Beside it stands node.json, with the names and the ports of this emulator.
'use strict';

const net = require('net');

const { foas, location, allowed, plain, secure } = require('./node.json');
const ours = new RegExp(`^(?:${foas}|${location})$`, 'i');
const connect = net.Socket.prototype.connect;

function isAllowed(host) {
  return allowed.some((entry) => entry === host || (entry.startsWith('*') && host.endsWith(entry.slice(1))));
}

// Node calls this method with options, with a list of options and callback, or with a port and a host.
function optionsOf(args) {
  if (Array.isArray(args[0])) return args[0][0];
  if (typeof args[0] === 'object' && args[0] !== null) return args[0];
  return { port: args[0], host: typeof args[1] === 'string' ? args[1] : undefined };
}

function withOptions(args, options) {
  if (Array.isArray(args[0])) {
    args[0][0] = options;
    return args;
  }
  return [options, ...args.slice(1).filter((each) => typeof each === 'function')];
}

net.Socket.prototype.connect = function (...args) {
  const options = optionsOf(args);
  const host = String(options.host || '').toLowerCase().replace(/\.$/, '');
  if (ours.test(host)) {
    // A socket of TLS is encrypted at any port; another one is plain, unless TLS is to begin in it later.
    const port = this.encrypted || Number(options.port) === 443 ? secure : plain;
    return connect.apply(this, withOptions(args, { ...options, host: '127.0.0.1', port, lookup: undefined }));
  }
  if (host.endsWith('.aliyuncs.com') && !isAllowed(host)) {
    const sentence = `foas-emulator does not connect to ${host}: only the hosts of foas lead to it, and a test is not to `
      + `reach anything else by accident. --intercept-allow ${host} lets this one through.`;
    process.nextTick(() => this.destroy(new Error(sentence)));
    return this;
  }
  return connect.apply(this, args);
};
