import LinuxABI
import Platform

/// /proc/PID/stat, statm and status.
extension ProcFilesystem {
    /// The word that /proc/PID/status adds to the letter.
    private static func word(_ letter: StaticString) -> StaticString {
        switch letter.utf8Start.pointee {
        case UInt8(ascii: "R"): " (running)\n"
        case UInt8(ascii: "S"): " (sleeping)\n"
        case UInt8(ascii: "T"): " (stopped)\n"
        default: " (zombie)\n"
        }
    }

    private static func letter(_ thread: Thread?) -> StaticString {
        switch thread?.state {
        case .runnable: "R"
        case .blocked: thread === Thread.current ? "R" : "S"
        case .stopped: "T"
        default: "Z"
        }
    }

    static func stat(_ thread: Thread?, _ process: Process, _ text: inout TextBuffer) {
        text.append(thread?.id ?? process.id)
        text.append(" (")
        appendName(thread, to: &text)
        text.append(") ")
        text.append(letter(thread))
        let memory = memoryPages(process)
        let ticks = process.processorTime / 10_000_000
        let nice = Int(process.attributes.niceness)
        // From ppid on, as proc(5) numbers them: 4 and up.
        let fields: [Int] = [
            Int(process.parent?.id ?? Process.kernelID), Int(process.groupID),
            Int(process.sessionID), Int(process.terminal?.device ?? 0),
            Int(process.terminal?.foregroundGroup ?? -1),
            0, 0, 0, 0, 0, Int(ticks), 0, 0, 0, 20 + nice, nice, process.threadCount, 0,
            Int(process.startTime / 10_000_000), memory.total << 12, memory.resident, -1,
            Int(process.executable.codeRange.lowerBound),
            Int(process.executable.codeRange.upperBound), Int(process.executable.stackStart),
            0, 0, 0, 0, 0, 0, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0,
            Int(process.executable.dataRange.lowerBound),
            Int(process.executable.dataRange.upperBound), 0,
            Int(process.executable.arguments.lowerBound),
            Int(process.executable.arguments.upperBound),
            Int(process.executable.environment.lowerBound),
            Int(process.executable.environment.upperBound), 0,
        ]
        for field in fields {
            text.append(" ")
            text.append(field)
        }
        text.append("\n")
    }

    static func status(_ thread: Thread?, _ process: Process, _ text: inout TextBuffer) {
        text.append("Name:\t")
        appendName(thread, to: &text)
        if let paths = process.paths {
            text.append("\nUmask:\t0")
            text.append(UInt64(paths.creationMask), base: 8, width: 3)
        }
        text.append("\nState:\t")
        text.append(letter(thread))
        text.append(word(letter(thread)))
        text.append("Tgid:\t")
        text.append(process.id)
        text.append("\nPid:\t")
        text.append(thread?.id ?? process.id)
        text.append("\nPPid:\t")
        text.append(process.parent?.id ?? Process.kernelID)
        text.append("\nTracerPid:\t0\n")
        appendIdentities(process, to: &text)
        appendMemory(process, to: &text)
        text.append("Threads:\t")
        text.append(process.threadCount)
        text.append("\n")
        if let thread { appendSignals(thread, process, to: &text) }
        appendCapabilities(process.credentials, to: &text)
        text.append("\nNoNewPrivs:\t")
        text.append(process.attributes.hasNoNewPrivileges ? 1 : 0)
        text.append(
            "\nSeccomp:\t0\nCpus_allowed:\t1\nCpus_allowed_list:\t0\nvoluntary_ctxt_switches:\t"
        )
        text.append(thread?.voluntarySwitches ?? 0)
        text.append("\nnonvoluntary_ctxt_switches:\t")
        text.append(thread?.involuntarySwitches ?? 0)
        text.append("\n")
    }

    private static func appendMemory(_ process: Process, to text: inout TextBuffer) {
        let memory = memoryPages(process)
        let rows: [(StaticString, Int)] = [
            ("VmPeak:\t", memory.peak), ("VmSize:\t", memory.total), ("VmLck:\t", memory.locked),
            ("VmHWM:\t", memory.largestResident), ("VmRSS:\t", memory.resident),
            ("VmData:\t", memory.data - memory.stack), ("VmStk:\t", memory.stack),
            ("VmExe:\t", memory.text), ("VmLib:\t", 0), ("VmSwap:\t", 0),
        ]
        for (name, pages) in rows {
            text.append(name)
            appendKilobytes(pages, to: &text)
        }
    }

    /// The sets as capabilities(7) has them: nothing is inherited, all may be had.
    private static func appendCapabilities(_ credentials: Credentials, to text: inout TextBuffer) {
        let all = Credentials.allCapabilities
        let sets: [(StaticString, UInt64)] = [
            ("CapInh:\t", 0), ("\nCapPrm:\t", credentials.permittedCapabilities),
            ("\nCapEff:\t", credentials.capabilities), ("\nCapBnd:\t", all), ("\nCapAmb:\t", 0),
        ]
        for (name, set) in sets {
            text.append(name)
            text.append(hexadecimal: set, width: 16)
        }
    }

    private static func appendSignals(
        _ thread: Thread,
        _ process: Process,
        to text: inout TextBuffer
    ) {
        var ignored: SignalSet = []
        var caught: SignalSet = []
        for number in 1...64 {
            let signal = Signal(rawValue: UInt8(number))
            let action = process.signals[signal]
            if action.isIgnored {
                ignored.insert(SignalSet(signal))
            } else if !action.isDefault {
                caught.insert(SignalSet(signal))
            }
        }
        text.append("SigQ:\t")
        text.append(PendingSignals.queuedCount)
        text.append("/")
        text.append(process.limits[.pendingSignals].current)
        let sets: [(StaticString, SignalSet)] = [
            ("\nSigPnd:\t", thread.signals.pending.set),
            ("\nShdPnd:\t", process.signals.pending.set), ("\nSigBlk:\t", thread.signals.mask),
            ("\nSigIgn:\t", ignored), ("\nSigCgt:\t", caught),
        ]
        for (name, set) in sets {
            text.append(name)
            text.append(hexadecimal: set.rawValue, width: 16)
        }
        text.append("\n")
    }

    private static func appendKilobytes(_ pages: Int, to text: inout TextBuffer) {
        text.append(UInt64(pages) * 4, width: 8, padding: 0x20)
        text.append(" kB\n")
    }

    private static func appendIdentities(_ process: Process, to text: inout TextBuffer) {
        let credentials = process.credentials
        text.append("Uid:\t")
        append(
            [
                credentials.realUser, credentials.effectiveUser, credentials.savedUser,
                credentials.fileSystemUser,
            ],
            to: &text
        )
        text.append("Gid:\t")
        append(
            [
                credentials.realGroup, credentials.effectiveGroup, credentials.savedGroup,
                credentials.fileSystemGroup,
            ],
            to: &text
        )
        text.append("FDSize:\t")
        text.append(process.descriptors?.capacity ?? 0)
        text.append("\nGroups:\t")
        for group in credentials.supplementaryGroups {
            text.append(group)
            text.append(" ")
        }
        text.append("\n")
    }

    private static func append(_ numbers: [UInt32], to text: inout TextBuffer) {
        for (index, number) in numbers.enumerated() {
            if index > 0 { text.append("\t") }
            text.append(number)
        }
        text.append("\n")
    }

    static func memoryStatus(_ text: inout TextBuffer, _ process: Process) {
        let memory = memoryPages(process)
        for number in [memory.total, memory.resident, 0, memory.text, 0, memory.data, 0] {
            text.append(number)
            text.append(" ")
        }
        text.append("\n")
    }
}
