import Kernel
import LaunchRecord
import NetStack
import Platform
import Rewriter

/// The lines of `--stats`, as StatisticsReport describes them.
extension Tracer {
    /// What a call's statistics take on the heap, with room to spare.
    private static let statisticsReserve = 64 << 10

    /// The statistics of a call; nil when there is no memory for them.
    static func statistics(_ number: Int) -> UnsafeMutablePointer<CallStatistics>? {
        if let statistics = calls[number].statistics { return statistics }
        #if hasFeature(Embedded)
            guard KernelHeap.hasReserve(statisticsReserve) else { return nil }
        #endif
        let statistics = UnsafeMutablePointer<CallStatistics>.allocate(capacity: 1)
        statistics.initialize(to: CallStatistics())
        calls[number].statistics = statistics
        return statistics
    }

    /// Writes the report and stops counting. Called when the instance is about to end, after the
    /// last process's memory was given back. `rewriter` knows the sites, whose names `unirun` finds
    /// by what was added to the addresses of the program's file; `releaseAll` gives back what the
    /// instance itself holds, so that what is left is a leak.
    public static func report(
        sitesOf rewriter: @autoclosure () -> Rewriter?,
        loadBias: UInt,
        releaseAll: () -> Void = {}
    ) {
        guard isOn, counts else { return }
        options.remove(.statistics)
        var report = ReportWriter(writer.line)
        let total = reportCalls(&report)
        if let rewriter = rewriter() { reportSites(&report, rewriter) }
        reportFaults(&report)
        reportHostCalls(&report)
        reportFileServers(&report)
        if let counters = Network.counters { reportNetwork(&report, counters) }
        report.value("load_bias", UInt64(loadBias))
        report.value("entry_cycles", boot.pointee.entry_cycles)
        reportNullCall(&report)
        report.value("calls_total", total)
        report.value("calls_caught", Counters.caughtCalls)
        reportMemory(&report, releaseAll)
        report.flush()
    }

    /// The base line, and what is in use beyond it when everything was given back.
    private static func reportMemory(_ report: inout ReportWriter, _ releaseAll: () -> Void) {
        report.value("pool_blocks", UInt64(KernelHeap.pooledBlocks))
        releaseAll()
        let left = MemoryCount.now
        report.value("heap_base_bytes", UInt64(baseLine.bytes))
        report.value("heap_base_blocks", UInt64(baseLine.blocks))
        report.difference("heap_left_bytes", left.bytes - baseLine.bytes)
        report.difference("heap_left_blocks", left.blocks - baseLine.blocks)
        report.difference("pages_left", left.pages - baseLine.pages)
    }

    /// A line each call that was made; gives their statistics back and returns how many there were.
    private static func reportCalls(_ report: inout ReportWriter) -> UInt64 {
        var total = unknownCalls
        for number in 0..<Int(SYSTEM_CALL_COUNT) {
            if let statistics = calls.statistics(number) {
                total &+= statistics.pointee.count
                reportCall(&report, number, statistics.pointee)
            }
            calls.forget(number)
        }
        if unknownCalls > 0 { report.value("calls_unknown", unknownCalls) }
        return total
    }

    private static func reportCall(
        _ report: inout ReportWriter,
        _ number: Int,
        _ statistics: CallStatistics
    ) {
        report.begin(StatisticsReport.call)
        report.name(calls[number].name, UInt64(number))
        report.number(statistics.count)
        report.number(statistics.errors)
        report.number(statistics.total)
        report.number(statistics.times.percentile(50))
        report.number(statistics.times.percentile(99))
        report.end()
    }

    private static func reportSites(_ report: inout ReportWriter, _ rewriter: Rewriter) {
        for index in 0..<rewriter.reportCount {
            guard let site = rewriter.report(index) else { continue }
            report.begin(StatisticsReport.site)
            report.hexadecimal(site.address)
            switch site.status {
            case .patched(let shape, _):
                report.word(StatisticsReport.rewritten)
                report.word(name(shape))
            case .refused(let reason):
                report.word(StatisticsReport.trapped)
                report.word(name(reason))
            }
            report.number(site.traps)
            report.end()
        }
    }

    private static func name(_ shape: SitePlan.Shape) -> StaticString {
        switch shape {
        case .moveNumber: "move-number"
        case .following: "following"
        case .preceding: "preceding"
        case .island: "island"
        }
    }

    private static func name(_ reason: RefusalReason) -> StaticString {
        switch reason {
        case .notPatchableText: "not-patchable-text"
        case .signalReturn: "signal-return"
        case .noShape: "no-shape"
        case .noStubAddress: "no-stub-address"
        case .memory: "memory"
        case .tableFull: "table-full"
        case .notSystemCall: "not-a-system-call"
        }
    }

    private static func reportFaults(_ report: inout ReportWriter) {
        report.fault("program", Counters.programFaults)
        report.fault("copy", Counters.copyFaults)
        report.fault("signal", Counters.signalFaults)
    }

    /// What the first server of files tells of itself when it is asked; what was mounted is not any more.
    private static func reportFileServers(_ report: inout ReportWriter) {
        guard let first = try? FileServers.describeFirst() else { return }
        report.value("file_server_message_limit", first.messageLimit)
        report.value("file_server_root", first.root)
    }

    private static func reportNullCall(_ report: inout ReportWriter) {
        if let count = NullCall.instructionsRewritten {
            report.value("null_call_instructions_rewritten", count)
        }
        if let count = NullCall.instructionsTrapped {
            report.value("null_call_instructions_trapped", count)
        }
    }

    private static func reportNetwork(_ report: inout ReportWriter, _ counters: NetworkCounters) {
        report.value("network_frames_received", counters.framesReceived)
        report.value("network_frames_sent", counters.framesSent)
        report.value("network_frames_unsent", counters.framesUnsent)
        report.value("network_not_for_us", counters.notForUs)
        report.value("network_unknown_protocol", counters.unknownProtocol)
        report.value("network_malformed", counters.malformed)
        report.value("network_bad_checksums", counters.badChecksums)
        report.value("network_fragments", counters.fragments)
        report.value("network_echo_requests", counters.echoRequests)
        report.value("network_unreachable", counters.unreachable)
        report.value("network_address_conflicts", counters.addressConflicts)
    }

    /// In the process world the host is Linux, and the rows know its calls' names.
    private static func reportHostCalls(_ report: inout ReportWriter) {
        for number in 0..<Int(SYSTEM_CALL_COUNT) {
            let count = host_call_count(UInt64(number))
            guard count > 0 else { continue }
            report.begin(StatisticsReport.host)
            report.name(calls[number].name, UInt64(number))
            report.number(UInt64(count))
            report.end()
            calls.forget(number)
        }
    }
}

/// Collects lines and writes many at once.
private struct ReportWriter {
    private static let longestLine = 256
    private var line: TraceBuffer

    /// Takes over a buffer that nobody needs meanwhile.
    init(_ line: TraceBuffer) {
        self.line = line
        self.line.removeAll()
        self.line.limit = line.capacity
    }

    mutating func begin(_ key: StaticString) {
        if line.count > line.capacity - ReportWriter.longestLine { flush() }
        line.append(key)
    }

    mutating func word(_ text: StaticString) {
        line.append(byte: 0x20)
        line.append(text)
    }

    mutating func name(_ name: UnsafeRawBufferPointer, _ number: UInt64) {
        line.append(byte: 0x20)
        guard name.count == 0 else { return line.append(name) }
        line.append("#")
        line.append(number)
    }

    mutating func number(_ number: UInt64) {
        line.append(byte: 0x20)
        line.append(number)
    }

    mutating func hexadecimal(_ number: UInt64) {
        line.append(" 0x")
        line.append(number, base: 16)
    }

    mutating func end() { line.append(byte: 0x0a) }

    mutating func value(_ name: StaticString, _ number: UInt64) {
        begin(StatisticsReport.value)
        word(name)
        self.number(number)
        end()
    }

    /// A number that may be below zero: something was given back that is needed for ever.
    mutating func difference(_ name: StaticString, _ number: Int) {
        begin(StatisticsReport.value)
        word(name)
        line.append(" ")
        line.append(number)
        end()
    }

    mutating func fault(_ kind: StaticString, _ count: UInt64) {
        guard count > 0 else { return }
        begin(StatisticsReport.fault)
        word(kind)
        number(count)
        end()
    }

    mutating func flush() {
        TraceWriter.write(line.bytes, to: PLATFORM_STREAM_STATISTICS)
        line.removeAll()
    }
}
