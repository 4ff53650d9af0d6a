#!/usr/bin/env node
import { runProgram } from './cli/program/main.ts'

process.exitCode = await runProgram(process.argv)
