import Glibc
import LaunchRecord

/// Stays beside a machine until it ends: serves its link, forwards signals, reaps.
struct MachineSupervisor {
    private let machine: VirtualMachine
    private let signals: SignalProxy
    private var server: MachineLinkServer
    private var hasLink = true
    private var hasConsole = true

    init(machine: VirtualMachine, signals: SignalProxy, streams: [Int32]) {
        self.machine = machine
        self.signals = signals
        // The machine stops with its job, and goes on with it.
        let pid = machine.pid
        let control = ControlServer { signal in
            kill(pid, SIGSTOP)
            SignalProxy.stop(by: signal)
            kill(pid, SIGCONT)
        }
        server = MachineLinkServer(link: machine.link, streams: streams, control: control)
    }

    func restoreTerminal() { server.restoreTerminal() }

    var knownSites: [KnownSite] { server.knownSites }

    /// Runs until the machine has ended; the exit status that its kernel told, nil when it told none.
    mutating func run() -> Int32? {
        while true {
            var watched = server.pollEntries(server.watched)
            var entries =
                [
                    pollfd(fd: signals.descriptor, events: Int16(POLLIN), revents: 0),
                    pollfd(fd: hasLink ? machine.link : -1, events: Int16(POLLIN), revents: 0),
                    pollfd(
                        fd: hasConsole ? machine.console : -1,
                        events: Int16(POLLIN),
                        revents: 0
                    ),
                ] + watched.values
            if poll(&entries, nfds_t(entries.count), -1) < 0 { continue }
            if entries[0].revents != 0, forwardSignals() { return server.exitStatus }
            if entries[1].revents != 0 { hasLink = server.serve() }
            if entries[2].revents != 0 { passConsoleOn() }
            watched.values = Array(entries[3...])
            let holding = watched.holding & server.watched
            if holding != 0 { server.tellReady(holding) }
        }
    }

    /// What the kernel says when it cannot go on is for the user to read.
    private mutating func passConsoleOn() {
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = read(machine.console, &bytes, bytes.count)
        if count < 0 && errno == EINTR { return }
        hasConsole = count > 0
        if count > 0 { _ = bytes[..<count].withUnsafeBytes { writeAll(STDERR_FILENO, $0) } }
    }

    /// Whether the machine has ended.
    private mutating func forwardSignals() -> Bool {
        var hasEnded = false
        signals.drain { [server, machine] information in
            let number = Int32(information.ssi_signo)
            guard number == SIGCHLD else { return server.tellSignal(number) }
            var status: Int32 = 0
            if waitpid(machine.pid, &status, WNOHANG) == machine.pid { hasEnded = true }
        }
        // Its last word may still be on the way.
        while hasEnded, hasLink { hasLink = server.serve() }
        while hasEnded, hasConsole { passConsoleOn() }
        return hasEnded
    }
}
