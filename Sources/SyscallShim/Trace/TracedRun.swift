import Kernel
import LinuxABI
import Platform

/// One run of a call, from before its handler to behind it. It lives on the kernel stack of the
/// thread, which may block meanwhile.
struct TracedRun {
    private let number: Int
    private var arguments: CallArguments
    private let isShown: Bool
    private var ticket: UInt64 = 0
    /// First argument that is shown after the call.
    private var nextArgument = 6
    private var start: Nanoseconds = 0

    init(_ number: Int, _ registers: InlineArray<6, UInt>) {
        self.number = number
        arguments = CallArguments(registers, Tracer.calls[number].kinds)
        isShown = Tracer.shows && Tracer.filter.shows(number)
    }

    private var doesReturn: Bool { Tracer.calls[number].result != .none }

    mutating func begin() {
        if isShown { beginLine() }
        guard Tracer.counts else { return }
        if !doesReturn { Tracer.statistics(number)?.pointee.addUnfinished() }
        start = now()
    }

    mutating func end(_ result: Int) {
        if Tracer.counts, doesReturn {
            let time = now() &- start
            Tracer.statistics(number)?.pointee.add(time, failed: CallArguments.isError(result))
        }
        guard isShown, doesReturn else { return }
        arguments.result = result
        endLine(result)
    }

    // MARK: The line

    private mutating func beginLine() {
        ticket = Tracer.writer.begin(Tracer.author)
        appendName()
        nextArgument = Tracer.writer.line.append(argumentsBefore: arguments)
        guard !doesReturn else { return }
        Tracer.writer.appendResultColumn()
        Tracer.writer.line.append("= ?")
        Tracer.writer.finish()
    }

    private func appendName() {
        let name = Tracer.calls[number].name
        guard name.count > 0 else { return Tracer.appendUnknownName(UInt64(number)) }
        Tracer.writer.line.append(name)
        Tracer.writer.line.append("(")
    }

    private func endLine(_ result: Int) {
        Tracer.writer.resume(ticket, Tracer.author, Tracer.calls[number].name)
        Tracer.writer.line.append(argumentsAfter: arguments, from: nextArgument)
        Tracer.writer.appendResultColumn()
        Tracer.writer.line.append("= ")
        if arguments.failed { appendFailure(-result) } else { appendResult(result) }
        Tracer.writer.finish()
    }

    private func appendFailure(_ error: Int) {
        guard error == Int(Errno.interrupted.rawValue), isInterrupted else {
            return Tracer.writer.line.append(error: error)
        }
        switch Tracer.calls[number].restart {
        case .never: Tracer.writer.line.append(error: error)
        case .byAction:
            Tracer.writer.line.append("? ERESTARTSYS (To be restarted if SA_RESTART is set)")
        case .withoutHandler:
            Tracer.writer.line.append("? ERESTARTNOHAND (To be restarted if no handler)")
        case .remaining:
            Tracer.writer.line.append("? ERESTART_RESTARTBLOCK (Interrupted by signal)")
        }
    }

    /// Whether the way out of the call decides on starting it again.
    private var isInterrupted: Bool {
        guard cpu_current_thread() != nil else { return false }
        return Thread.current.signals.interruptedWait
    }

    private func appendResult(_ result: Int) {
        let bits = UInt64(bitPattern: Int64(result))
        switch Tracer.calls[number].result {
        case .address, .hexadecimal: Tracer.writer.line.append(hexadecimal: bits)
        case .octal, .mode: Tracer.writer.line.append(octal: bits)
        default: Tracer.writer.line.append(result)
        }
        appendRemark(result)
    }

    /// What a result means, in the words of strace(1).
    private func appendRemark(_ result: Int) {
        var isTimed = false
        for index in 0..<6 {
            let value = arguments.registers[index]
            switch arguments.kinds[index] {
            case .fileControl where value == 3:
                Tracer.writer.line.append(" (flags ")
                let flags = UInt64(bitPattern: Int64(result))
                Tracer.writer.line.append(flags, field: .access, mask: 3, flags: .open)
                Tracer.writer.line.append(")")
            case .fileControl where value == 1 && result == 1:
                Tracer.writer.line.append(" (flags FD_CLOEXEC)")
            case .pollList:
                let count = Int(truncatingIfNeeded: arguments.registers[1])
                if result > 0 { Tracer.writer.line.append(readyAt: value, count: count) }
                isTimed = true
            case .selectSet: isTimed = true
            default: break
            }
        }
        guard isTimed else { return }
        if result == 0 { Tracer.writer.line.append(" (Timeout)") } else { appendSelected() }
    }

    /// The sets that select(2) left: ` (in [3], out [4])`
    private func appendSelected() {
        var isFirst = true
        for index in 1..<4 where arguments.kinds[index] == .selectSet {
            guard arguments.registers[index] != 0 else { continue }
            Tracer.writer.line.append(isFirst ? " (" : ", ")
            isFirst = false
            Tracer.writer.line.append(index == 1 ? "in " : index == 2 ? "out " : "except ")
            let count = Int(Int32(truncatingIfNeeded: arguments.registers[0]))
            Tracer.writer.line.append(selectSetAt: arguments.registers[index], count: count)
        }
        if !isFirst { Tracer.writer.line.append(")") }
    }
}
