/// Structures of the program's memory, briefly, as strace(1) shows them.
extension TraceBuffer {
    /// Appends an argument that points to a structure; false when the kind is none.
    mutating func appendRecord(_ value: UInt, _ kind: Argument, _ call: CallArguments) -> Bool {
        if kind == .timeRemaining, call.result != -4 {
            append(address: value)
            return true
        }
        guard let (size, body) = TraceBuffer.layout(kind) else { return false }
        guard value != 0, let bytes = load(value, size) else {
            append(address: value)
            return true
        }
        body(&self, Record(bytes: bytes))
        return true
    }

    /// A structure's bytes, copied out of the program's memory.
    struct Record {
        let bytes: UnsafeRawBufferPointer

        func half(_ offset: Int) -> UInt16 { load(offset) }
        func int(_ offset: Int) -> Int { Int(load(offset) as Int32) }
        func unsigned(_ offset: Int) -> UInt64 { UInt64(load(offset) as UInt32) }
        func long(_ offset: Int) -> Int { load(offset) }
        func word(_ offset: Int) -> UInt64 { load(offset) }

        private func load<Value: BitwiseCopyable>(_ offset: Int) -> Value {
            bytes.loadUnaligned(fromByteOffset: offset, as: Value.self)
        }
    }

    private typealias Body = (inout TraceBuffer, Record) -> Void

    /// The size of a kind's structure on x86-64, and how it is shown.
    private static func layout(_ kind: Argument) -> (size: Int, body: Body)? {
        switch kind {
        case .integerResult: (4, { $0.append(bracketed: $1.int(0)) })
        case .offsetPointer: (8, { $0.append(bracketed: $1.long(0)) })
        case .descriptorPair: (8, { $0.append(descriptors: $1) })
        case .fileStatusResult: (144, { $0.append(status: $1) })
        case .statxResult: (256, { $0.append(statx: $1) })
        case .fileSystemStatusResult: (120, { $0.append(fileSystem: $1) })
        case .epollEvent: (12, { $0.append(epollEvent: $1) })
        case .lockRecord, .lockRecordResult: (32, { $0.append(lock: $1) })
        case .windowSize, .windowSizeResult: (8, { $0.append(windowSize: $1) })
        case .terminal, .terminalResult: (36, { $0.append(terminal: $1) })
        case .signalSet, .signalSetResult: (8, { $0.append(signals: $1.word(0)) })
        case .signalAction, .signalActionResult: (32, { $0.append(action: $1) })
        case .signalStack, .signalStackResult: (24, { $0.append(stack: $1) })
        case .signalInformationResult:
            (32, { $0.append(information: SignalSummary($1)) })
        case .cloneArguments: (64, { $0.append(clone: $1) })
        case .resourceLimit, .resourceLimitResult: (16, { $0.append(limit: $1) })
        case .usageResult: (144, { $0.append(usage: $1) })
        case .waitStatusResult: (4, { $0.append(waitStatus: $1.int(0)) })
        case .systemNameResult: (130, { $0.append(systemName: $1) })
        case .systemInformationResult: (112, { $0.append(systemInformation: $1) })
        case .time, .timeResult, .timeRemaining: (16, { $0.append(time: $1, 0) })
        case .timePair: (32, { $0.append(times: $1) })
        case .timeValue, .timeValueResult: (16, { $0.append(timeValue: $1, 0) })
        case .timerValue, .timerValueResult:
            (
                32,
                {
                    $0.append("{it_interval=")
                    $0.append(time: $1, 0)
                    $0.append(", it_value=")
                    $0.append(time: $1, 16)
                    $0.append("}")
                }
            )
        case .intervalValue, .intervalValueResult:
            (
                32,
                {
                    $0.append("{it_interval=")
                    $0.append(timeValue: $1, 0)
                    $0.append(", it_value=")
                    $0.append(timeValue: $1, 16)
                    $0.append("}")
                }
            )
        default: nil
        }
    }

    private mutating func append(bracketed number: Int) {
        append("[")
        append(number)
        append("]")
    }

    private mutating func append(_ name: StaticString, _ number: Int) {
        append(name)
        append(number)
    }

    private mutating func append(_ name: StaticString, unsigned number: UInt64) {
        append(name)
        append(number)
    }

    private mutating func append(_ name: StaticString, address: UInt64) {
        append(name)
        append(address: UInt(address))
    }

    // MARK: Files

    private mutating func append(descriptors record: Record) {
        append("[", record.int(0))
        append(", ", record.int(4))
        append("]")
    }

    private mutating func append(status record: Record) {
        let mode = UInt32(record.unsigned(24))
        append("{st_mode=")
        append(mode: mode)
        if mode & 0xf000 == 0x2000 || mode & 0xf000 == 0x6000 {
            let device = record.word(40)
            append(", st_rdev=makedev(")
            append(hexadecimal: device >> 8 & 0xfff | device >> 32 & 0xffff_f000)
            append(", ")
            append(hexadecimal: device & 0xff | device >> 12 & 0xffff_ff00)
            append(")")
        } else {
            append(", st_size=", record.long(48))
        }
        append(", ...}")
    }

    private mutating func append(statx record: Record) {
        append("{stx_mask=")
        append(record.unsigned(0), flags: .statxMask)
        append(", stx_attributes=")
        append(hexadecimal: record.word(8))
        append(", stx_mode=")
        append(mode: UInt32(record.half(28)))
        append(", stx_size=", unsigned: record.word(40))
        append(", ...}")
    }

    private mutating func append(fileSystem record: Record) {
        append("{f_type=")
        append(hexadecimal: record.word(0))
        append(", f_bsize=", record.long(8))
        append(", f_blocks=", unsigned: record.word(16))
        append(", f_bfree=", unsigned: record.word(24))
        append(", ...}")
    }

    mutating func append(epollEvent record: Record) {
        append("{events=")
        append(record.unsigned(0), flags: .epollEvents)
        append(", data={u32=", unsigned: record.unsigned(4))
        append(", u64=", unsigned: record.word(4))
        append("}}")
    }

    private mutating func append(lock record: Record) {
        append("{l_type=")
        append(UInt64(record.half(0)), named: .lockType)
        append(", l_whence=")
        append(UInt64(record.half(2)), named: .whence)
        append(", l_start=", record.long(8))
        append(", l_len=", record.long(16))
        append("}")
    }

    private mutating func append(windowSize record: Record) {
        append("{ws_row=", Int(record.half(0)))
        append(", ws_col=", Int(record.half(2)))
        append(", ws_xpixel=", Int(record.half(4)))
        append(", ws_ypixel=", Int(record.half(6)))
        append("}")
    }

    private mutating func append(terminal record: Record) {
        append("{c_iflag=")
        append(hexadecimal: record.unsigned(0))
        append(", c_oflag=")
        append(hexadecimal: record.unsigned(4))
        append(", c_cflag=")
        append(hexadecimal: record.unsigned(8))
        append(", c_lflag=")
        append(hexadecimal: record.unsigned(12))
        append(", ...}")
    }

    // MARK: Tasks

    /// The kernel's `struct sigaction`.
    private mutating func append(action record: Record) {
        let flags = record.word(8)
        append("{sa_handler=")
        switch record.word(0) {
        case 0: append("SIG_DFL")
        case 1: append("SIG_IGN")
        default: append(hexadecimal: record.word(0))
        }
        append(", sa_mask=")
        append(signals: record.word(24))
        append(", sa_flags=")
        append(flags, flags: .actionFlags)
        if flags & 0x400_0000 != 0 { append(", sa_restorer=", address: record.word(16)) }
        append("}")
    }

    private mutating func append(stack record: Record) {
        append("{ss_sp=", address: record.word(0))
        append(", ss_flags=")
        append(record.unsigned(8), flags: .stackFlags)
        append(", ss_size=", unsigned: record.word(16))
        append("}")
    }

    private mutating func append(clone record: Record) {
        append("{flags=")
        append(record.word(0), flags: .clone)
        if record.word(16) != 0 { append(", child_tid=", address: record.word(16)) }
        if record.word(24) != 0 { append(", parent_tid=", address: record.word(24)) }
        append(", exit_signal=")
        append(signal: Int32(truncatingIfNeeded: record.int(32)))
        append(", stack=", address: record.word(40))
        append(", stack_size=")
        append(hexadecimal: record.word(48))
        if record.word(56) != 0 { append(", tls=", address: record.word(56)) }
        append("}")
    }

    private mutating func append(limit record: Record) {
        append("{rlim_cur=")
        append(limitValue: record.word(0))
        append(", rlim_max=")
        append(limitValue: record.word(8))
        append("}")
    }

    /// A limit as a multiple of 1024 where it is one.
    private mutating func append(limitValue value: UInt64) {
        if value == .max { return append("RLIM64_INFINITY") }
        guard value > 1024, value & 1023 == 0 else { return append(value) }
        append(value >> 10)
        append("*1024")
    }

    private mutating func append(usage record: Record) {
        append("{ru_utime=")
        append(timeValue: record, 0)
        append(", ru_stime=")
        append(timeValue: record, 16)
        append(", ...}")
    }

    private mutating func append(waitStatus status: Int) {
        append("[{")
        let signal = status & 0x7f
        if signal == 0 {
            append("WIFEXITED(s) && WEXITSTATUS(s) == ", status >> 8 & 0xff)
        } else if status & 0xff == 0x7f {
            append("WIFSTOPPED(s) && WSTOPSIG(s) == ")
            append(signal: Int32(status >> 8 & 0xff))
        } else {
            append("WIFSIGNALED(s) && WTERMSIG(s) == ")
            append(signal: Int32(signal))
            if status & 0x80 != 0 { append(" && WCOREDUMP(s)") }
        }
        append("}]")
    }

    /// The first two of the six names of 65 bytes.
    private mutating func append(systemName record: Record) {
        append("{sysname=")
        append(quoted: record, 0)
        append(", nodename=")
        append(quoted: record, 65)
        append(", ...}")
    }

    private mutating func append(quoted record: Record, _ offset: Int) {
        let field = record.bytes[offset..<(offset + 65)]
        let end = field.firstIndex(of: 0) ?? field.endIndex
        append("\"")
        append(escaping: UnsafeRawBufferPointer(rebasing: field[..<end]))
        append("\"")
    }

    private mutating func append(systemInformation record: Record) {
        append("{uptime=", record.long(0))
        append(", totalram=", unsigned: record.word(32))
        append(", freeram=", unsigned: record.word(40))
        append(", procs=", Int(record.half(80)))
        append(", ...}")
    }

    // MARK: Time

    /// UTIME_NOW and UTIME_OMIT in place of nanoseconds: utimensat(2).
    private mutating func append(times record: Record) {
        append("[")
        for index in 0..<2 {
            let offset = index * 16
            if index > 0 { append(", ") }
            switch record.word(offset + 8) {
            case 0x3fff_ffff: append("UTIME_NOW")
            case 0x3fff_fffe: append("UTIME_OMIT")
            default: append(time: record, offset)
            }
        }
        append("]")
    }

    private mutating func append(time record: Record, _ offset: Int) {
        append("{tv_sec=", record.long(offset))
        append(", tv_nsec=", record.long(offset + 8))
        append("}")
    }

    private mutating func append(timeValue record: Record, _ offset: Int) {
        append("{tv_sec=", record.long(offset))
        append(", tv_usec=", record.long(offset + 8))
        append("}")
    }
}

/// What a `siginfo_t` says: the fields of sigaction(2) that its signal and code fill.
struct SignalSummary {
    var signal: Int32
    var code: Int32
    /// The first two words of the union.
    var first: UInt64
    var second: UInt64
}

extension SignalSummary {
    init(_ record: TraceBuffer.Record) {
        signal = Int32(record.int(0))
        code = Int32(record.int(8))
        first = record.word(16)
        second = record.word(24)
    }
}

extension TraceBuffer {
    /// `{si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=NULL}`
    mutating func append(information summary: SignalSummary) {
        append("{si_signo=")
        append(signal: summary.signal)
        append(", si_code=")
        let isOwn = summary.code > 0 && summary.code < 0x80
        let table = isOwn ? NameTable.signalCode(of: summary.signal) : NameTable.signalCode
        append(UInt64(UInt32(bitPattern: summary.code)), named: table)
        let low = Int(Int32(truncatingIfNeeded: summary.first))
        let high = UInt32(truncatingIfNeeded: summary.first >> 32)
        switch (summary.code, summary.signal) {
        case (1..<0x80, 17):
            appendSender(low, high)
            append(", si_status=", Int(Int32(truncatingIfNeeded: summary.second)))
        case (1..<0x80, 4), (1..<0x80, 5), (1..<0x80, 7), (1..<0x80, 8), (1..<0x80, 11):
            append(", si_addr=", address: summary.first)
        case (0, _), (-6, _): appendSender(low, high)
        case (-1, _):
            appendSender(low, high)
            appendValue(summary.second)
        case (-2, _):
            append(", si_timerid=", low)
            append(", si_overrun=", Int(Int32(bitPattern: high)))
            appendValue(summary.second)
        default: break
        }
        append("}")
    }

    private mutating func appendSender(_ process: Int, _ user: UInt32) {
        append(", si_pid=", process)
        append(", si_uid=", unsigned: UInt64(user))
    }

    private mutating func appendValue(_ value: UInt64) {
        append(", si_int=", Int(Int32(truncatingIfNeeded: value)))
        append(", si_ptr=", address: value)
    }
}
