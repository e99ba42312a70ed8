import Glibc
import LaunchRecord

/// How a machine ended.
enum MachineEnd {
    /// Its kernel told a status.
    case exited(Int32)
    /// Its kernel could not go on, and said so on the console.
    case kernelDied
    /// A signal came before there was a kernel to forward it to.
    case endedBeforeStart(signal: Int32)
    /// It never answered again.
    case hung(hasStarted: Bool)
    /// The processor gave up: an exception while one was being told of, and another (SDM volume 3,
    /// section 6.15, "double fault").
    case reset
    /// The processor did not run it, for a reason that QEMU told.
    case acceleratorFailed(String)
    case emulatorKilled(signal: Int32)
    /// QEMU's own end, with what it said of it.
    case emulatorEnded(status: Int32, reason: String?)
}

/// Stays beside a machine until it ends: serves its link, forwards signals, watches, reaps.
struct MachineSupervisor {
    private let machine: VirtualMachine
    private let signals: SignalProxy
    private var server: MachineLinkServer
    private var console: MachineConsole
    private var messages: EmulatorMessages?
    private var hasLink = true
    private var hasStarted = false
    private var hasNetwork: Bool
    /// Nil while a debugger may stop the machine.
    private var watchdog: MachineWatchdog?
    private var end: MachineEnd?
    private let reportInterrupt: () -> Void

    /// - Parameter reportInterrupt: is called when the program has to be interrupted, for it does not
    ///   let the kernel in.
    init(
        machine: VirtualMachine,
        signals: SignalProxy,
        streams: [Int32],
        core: CoreFile?,
        symbols: String,
        isWatched: Bool,
        reportInterrupt: @escaping () -> Void
    ) {
        self.machine = machine
        self.signals = signals
        hasNetwork = machine.network != nil
        self.reportInterrupt = reportInterrupt
        // The machine stops with its job, and goes on with it.
        let pid = machine.pid
        let control = ControlServer { signal in
            kill(pid, SIGSTOP)
            SignalProxy.stop(by: signal)
            kill(pid, SIGCONT)
        }
        server = MachineLinkServer(
            link: machine.link,
            streams: streams,
            core: core,
            control: control
        )
        console = MachineConsole(image: symbols)
        messages = machine.messages.map { EmulatorMessages(descriptor: $0) }
        watchdog = isWatched ? MachineWatchdog(pid: pid) : nil
    }

    func restoreTerminal() { server.restoreTerminal() }

    var knownSites: [KnownSite] { server.knownSites }

    /// Whether the kernel said anything when it could not go on.
    var hasLastWords: Bool { console.hasSaidSomething }

    /// Runs until the machine has ended.
    mutating func run() -> MachineEnd {
        while true {
            var watched = server.pollEntries(server.watched)
            var entries =
                [
                    pollfd(fd: signals.descriptor, events: Int16(POLLIN), revents: 0),
                    pollfd(fd: hasLink ? machine.link : -1, events: Int16(POLLIN), revents: 0),
                    pollfd(
                        fd: hasNetwork ? machine.network?.descriptor ?? -1 : -1,
                        events: 0,
                        revents: 0
                    ),
                    pollfd(fd: messages?.descriptor ?? -1, events: Int16(POLLIN), revents: 0),
                ] + watched.values
            if poll(&entries, nfds_t(entries.count), watchdog?.timeout ?? -1) < 0 { continue }
            if entries[0].revents != 0, let status = forwardSignals() { return conclude(status) }
            if entries[1].revents != 0 { serve() }
            if entries[2].revents != 0 { loseNetwork() }
            if entries[3].revents != 0 { listen() }
            watched.values = Array(entries[4...])
            let holding = watched.holding & server.watched
            if holding != 0 { server.tellReady(holding) }
            watch()
        }
    }

    private mutating func serve() {
        hasLink = server.serve()
        console.take(server.takeLastWords())
    }

    /// What QEMU says passes through, but for the end of its accelerator.
    private mutating func listen() {
        messages?.take()
        if let reason = messages?.failure { end(.acceleratorFailed(reason)) }
    }

    /// The interface was removed from the host; the program goes on as with its cable pulled out. That
    /// alone wakes nobody: it is seen at the watchdog's next look at the latest.
    private mutating func loseNetwork() {
        hasNetwork = false
        reportLine("the interface \(machine.network?.name ?? "") is gone, and with it the network")
        machine.monitor.removeNetwork()
    }

    private mutating func watch() {
        let heard = server.takeHeard()
        if heard != .nothing { hasStarted = true }
        switch heard {
        case .nothing: break
        case .answer: watchdog?.heard(isAnswer: true)
        case .request: watchdog?.heard(isAnswer: false)
        }
        switch watchdog?.look() ?? .fine {
        case .fine: break
        case .ping: server.ping()
        case .interrupt:
            reportInterrupt()
            machine.monitor.interrupt()
        case .hopeless: end(.hung(hasStarted: hasStarted))
        }
    }

    /// Ends the machine from outside.
    private mutating func end(_ end: MachineEnd) {
        self.end = self.end ?? end
        kill(machine.pid, SIGKILL)
    }

    /// What wait(2) tells when the machine has ended.
    private mutating func forwardSignals() -> Int32? {
        var ended: Int32?
        var early: Int32?
        let isEarly = !hasStarted
        let endings = [SIGINT, SIGTERM, SIGHUP, SIGQUIT]
        signals.drain { [server, machine] information in
            let number = Int32(information.ssi_signo)
            guard number == SIGCHLD else {
                // Others may come with it: timeout(1) sends SIGCONT too.
                if isEarly, endings.contains(number) { early = early ?? number }
                return server.tellSignal(number)
            }
            var status: Int32 = 0
            if waitpid(machine.pid, &status, WNOHANG) == machine.pid { ended = status }
        }
        if let early { end(.endedBeforeStart(signal: early)) }
        guard ended != nil else { return nil }
        // Its last word may still be on the way.
        while hasLink { serve() }
        while messages?.hasEnded == false { listen() }
        console.end()
        return ended
    }

    private func conclude(_ waitStatus: Int32) -> MachineEnd {
        if let status = server.exitStatus { return .exited(status) }
        if let end { return end }
        let status = ExitStatus(waitStatus: waitStatus)
        if let signal = status.signal { return .emulatorKilled(signal: signal) }
        // The debug-exit device makes odd statuses: Power.off.
        if status.code == 2 * LaunchFailure.unirunStatus + 1 { return .kernelDied }
        let reason = machine.monitor.endReason()
        if reason == "guest-reset" { return .reset }
        return .emulatorEnded(status: status.code, reason: reason)
    }
}
