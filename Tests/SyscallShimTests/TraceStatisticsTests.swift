import FakePlatform
import Platform
import Testing

@testable import SyscallShim

@Suite struct TraceStatisticsTests {
    @Test func percentilesAreThoseOfASortedListToASixteenth() {
        var state: UInt64 = 42
        for spread in [10, 1_000, 1_000_000, 1_000_000_000] as [UInt64] {
            var histogram = Histogram()
            defer { histogram.deallocate() }
            var values: [UInt64] = []
            for _ in 0..<1000 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                let value = (state >> 33) % spread
                values.append(value)
                histogram.add(value)
            }
            values.sort()
            for percent in [1, 50, 90, 99, 100] as [UInt64] {
                let exact = values[max(1, Int((1000 * percent + 99) / 100)) - 1]
                let found = histogram.percentile(percent)
                #expect(found.distance(to: exact).magnitude <= exact / 16)
            }
        }
    }

    @Test func everyTimeHasABucketNearIt() {
        for shift in 0..<64 {
            for value in [UInt64(1) << UInt64(shift), UInt64.max >> UInt64(shift)] {
                let index = Histogram.index(value)
                #expect(index >= 0 && index < Histogram.bucketCount)
                guard value < 1 << 40 else { continue }
                #expect(Histogram.value(index).distance(to: value).magnitude <= value / 16)
            }
        }
    }

    @Test func anEmptyHistogramHasNoTime() {
        let histogram = Histogram()
        defer { histogram.deallocate() }
        #expect(histogram.percentile(50) == 0)
    }

    @Test func theReportCountsCallsErrorsAndTimes() throws {
        try TracedProgram.run(.statistics) { program in
            let row = Row(0, "read", answerAsTold, .full, .descriptor, .output, .size)
            duringCall = { FakePlatform.time += 10 }
            defer { duringCall = {} }
            for answer in [1, 1, 1, -9] {
                answerOfCall = answer
                #expect(program.trace(row, 0, 0, 0).isEmpty)
            }
            Tracer.traceUnknown(1000)
            Counters.caughtCalls = 1
            Tracer.report(sitesOf: nil, loadBias: 0)
            #expect(program.report.contains("call read 4 1 40 10 10"))
            #expect(program.report.contains("value calls_total 5"))
            #expect(program.report.contains("value calls_unknown 1"))
            #expect(program.report.contains("value calls_caught 1"))
            #expect(program.output.isEmpty)
        }
    }

    @Test func aCallThatDoesNotReturnIsCountedBeforeIt() throws {
        try TracedProgram.run(.statistics) { program in
            let row = Row(231, "exit_group", answerAsTold, .full, .integer, result: .none)
            _ = program.trace(row, 0)
            Tracer.report(sitesOf: nil, loadBias: 0x1000)
            #expect(program.report.contains("call exit_group 1 0 0 0 0"))
            #expect(program.report.contains("value load_bias 4096"))
        }
    }
}
