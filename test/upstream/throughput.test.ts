import { expect, test } from 'vitest'
import { ThroughputMeter } from '../../src/upstream/throughput.ts'

const limits = { minBytesPerSecond: 8000, windowMs: 10_000 }

test('a byte a second is too slow when the window is over, not before', () => {
  const meter = new ThroughputMeter(limits, 0)
  meter.addBytes(9)
  expect(meter.findTooSlow(9999)).toBeUndefined()
  expect(meter.findTooSlow(10_000)).toBeCloseTo(0.9)
})

test('a good beginning does not pay for a slow rest', () => {
  const meter = new ThroughputMeter(limits, 0)
  meter.addBytes(100_000_000)
  expect(meter.findTooSlow(10_000)).toBeUndefined()
  meter.addBytes(79_000)
  expect(meter.findTooSlow(20_000)).toBe(7900)
})

test('time in which we did not read does not count', () => {
  const meter = new ThroughputMeter(limits, 0)
  meter.addBytes(40_000)
  meter.pause(5000)
  expect(meter.findTooSlow(100_000)).toBeUndefined()
  meter.resume(100_000)
  expect(meter.findTooSlow(104_999)).toBeUndefined()
  expect(meter.findTooSlow(105_001)).toBeLessThan(8000)
})

test('a window that ends while we do not read begins again when we do', () => {
  const meter = new ThroughputMeter(limits, 0)
  meter.addBytes(100_000)
  meter.pause(10_000)
  expect(meter.findTooSlow(50_000)).toBeUndefined()
  meter.resume(60_000)
  expect(meter.findTooSlow(69_999)).toBeUndefined()
  expect(meter.findTooSlow(70_000)).toBe(0)
})
