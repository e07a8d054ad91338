#!/usr/bin/env -S node --max-semi-space-size=4 --v8-pool-size=1
import '../dist/main.js';
