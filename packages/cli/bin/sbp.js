#!/usr/bin/env node
// Stands outside dist, so that package managers can link the command before the workspace is built.
import '../dist/sbp.js';
