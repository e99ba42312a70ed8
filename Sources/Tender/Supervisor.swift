import Glibc
import LaunchRecord

/// Stays beside the kernel until it ends: answers it, forwards signals, reaps.
struct Supervisor {
    private let kernel: KernelProcess
    private var signals: SignalProxy
    private var server = ControlServer(stopSelf: SignalProxy.stop)
    private var hasControl = true
    /// A stop is the debugger's doing, not the job's.
    private let isDebugged: Bool
    private var request = [UInt8](repeating: 0, count: ControlMessage.encodedSize)
    private var received = 0
    private let memory: MemoryWatch?
    private let core: CorePipe?
    private var copies = CopyCounter()
    /// Why the kernel was ended.
    private(set) var endReason: EndReason?

    enum EndReason {
        /// It used more memory than it may.
        case memory
        /// Its processes cannot be counted; the errno says why.
        case uncountable(Int32)
    }

    init(
        kernel: KernelProcess,
        signals: SignalProxy,
        memory: MemoryWatch?,
        core: CorePipe?,
        isDebugged: Bool
    ) {
        self.core = core
        self.kernel = kernel
        self.signals = signals
        self.memory = memory
        self.isDebugged = isDebugged
    }

    /// Runs until the kernel's process has ended; how it ended.
    mutating func run() -> ExitStatus {
        while true {
            var ready = [
                pollfd(fd: signals.descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: hasControl ? kernel.control : -1, events: Int16(POLLIN), revents: 0),
                pollfd(fd: copies.listener, events: Int16(POLLIN), revents: 0),
                pollfd(fd: core?.descriptor ?? -1, events: Int16(POLLIN), revents: 0),
            ]
            if poll(&ready, nfds_t(ready.count), checkMemory()) < 0 { continue }
            if ready[3].revents != 0 { core?.drain() }
            if ready[0].revents != 0, signals.drain(to: kernel), let status = reap() {
                return status
            }
            if ready[1].revents != 0 { serve() }
            // Not at its hanging up, when a question is waited for.
            if ready[2].revents & Int16(POLLIN) != 0 { answerCopy() }
        }
    }

    /// Ends the kernel when it uses too much memory; how long it may go on unseen otherwise, for
    /// poll(2).
    private mutating func checkMemory() -> Int32 {
        guard let memory, endReason == nil else { return -1 }
        if let pause = memory.pause() { return pause }
        end(.memory)
        return -1
    }

    private mutating func end(_ reason: EndReason) {
        endReason = reason
        kill(kernel.pid, SIGKILL)
    }

    /// Puts the terminal back as it was before the program changed it.
    func restoreTerminal() { server.terminal.restore() }

    /// Sites of the program that were rewritten in this run.
    var knownSites: [KnownSite] { server.knownSites }

    /// Reaps what ended, and follows the kernel into a stop that came before it could ask for one.
    private mutating func reap() -> ExitStatus? {
        var status: Int32 = 0
        while true {
            let child = waitpid(-1, &status, WNOHANG | WUNTRACED)
            if child < 0 && errno == EINTR { continue }
            guard child > 0 else { return nil }
            guard child == kernel.pid else {
                // One of the others ends by itself with zero; with anything else the kernel is broken.
                guard status & 0xff != 0x7f else { continue }
                if status != 0 { return ExitStatus(waitStatus: status) }
                copies.noteEnd()
                continue
            }
            if status & 0xff != 0x7f { return end(status) }
            if !isDebugged {
                SignalProxy.stop(by: (status >> 8) & 0xff)
                kill(kernel.pid, SIGCONT)
            }
        }
    }

    /// How the kernel ended. What it was sent before it had handlers did what it does to any program.
    private func end(_ status: Int32) -> ExitStatus {
        var end = ExitStatus(waitStatus: status)
        if end.signal == HostSignal.bell { end.signal = signals.lastForwarded }
        return end
    }

    private mutating func serve() {
        let count = request.withUnsafeMutableBytes { [received] in
            recv(
                kernel.control,
                $0.baseAddress! + received,
                $0.count - received,
                Int32(MSG_DONTWAIT)
            )
        }
        if count < 0 && (errno == EAGAIN || errno == EINTR) { return }
        guard count > 0 else {
            hasControl = false
            return
        }
        received += count
        guard received == ControlMessage.encodedSize else { return }
        received = 0
        let operation = request.withUnsafeBytes { $0.loadUnaligned(as: UInt32.self) }
        switch ControlMessage.Operation(rawValue: operation) {
        case .interruptOthers: return interruptOthers()
        case .countCopies: return countCopies()
        default: break
        }
        let sent = request.withUnsafeMutableBytes {
            server.answer($0)
            return send(kernel.control, $0.baseAddress!, $0.count, Int32(MSG_NOSIGNAL))
        }
        if sent != ControlMessage.encodedSize { hasControl = false }
    }

    private func interruptOthers() {
        for child in ChildProcesses.all where child != kernel.pid {
            kill(child, HostSignal.interrupt)
        }
    }

    private mutating func countCopies() {
        let descriptor = request.withUnsafeBytes {
            $0.loadUnaligned(fromByteOffset: 4, as: Int32.self)
        }
        let failure = copies.listen(kernel.pid, descriptor)
        if failure != 0 { end(.uncountable(failure)) }
    }

    private mutating func answerCopy() {
        let failure = copies.answer()
        if failure != 0 { end(.uncountable(failure)) }
    }
}
