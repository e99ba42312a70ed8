import LinuxABI

/// What a terminal is for processes: the one that controls a session, of whose groups one is in the
/// foreground. credentials(7), tty_ioctl(4), and setsid(2).
public class ControllingTerminal {
    /// The session that it controls; zero while there is none.
    final var session: Int32 = 0
    final var foregroundGroup: Int32 = 0

    init() {}

    /// What /proc/PID/stat names it by.
    var device: UInt64 { 0 }

    /// Opens the terminal by /dev/tty.
    func open(_ dentry: Dentry, _ flags: OpenFlags) throws(Errno) -> OpenFile {
        throw .noSuchDeviceOrAddress
    }

    // MARK: Foreground and background

    /// Sends a signal to the group in the foreground.
    final func raise(_ signal: Signal) {
        guard foregroundGroup != 0 else { return }
        Signals.send(signal, toGroup: foregroundGroup)
    }

    /// Lets pass whoever is in the foreground, or has another terminal. Others are sent `signal`,
    /// SIGTTIN or SIGTTOU, and begin anew when they go on.
    ///
    /// Throws `interrupted`; `inputOutputError` where a group would stop that nobody continues, and for
    /// a read also where the signal is blocked or ignored.
    final func requireForeground(_ signal: Signal) throws(Errno) {
        let thread = Thread.current
        let process = thread.process!
        guard process.terminal === self, foregroundGroup != 0,
            process.groupID != foregroundGroup
        else { return }
        if thread.signals.mask.contains(signal) || process.signals.isIgnored(signal) {
            guard signal == .terminalOutput else { throw .inputOutputError }
            return
        }
        guard !process.isGroupOrphaned else { throw .inputOutputError }
        Signals.send(signal, toGroup: process.groupID)
        thread.signals.interruptedWait = true
        throw .interrupted
    }

    // MARK: Requests

    /// The requests that are about sessions and groups; nil for all others.
    ///
    /// - Parameter isMaster: whether it is asked through a pseudo-terminal's other end, which needs not be
    ///   the caller's own terminal.
    final func control(
        _ request: UInt32,
        _ argument: UInt,
        isMaster: Bool,
        isReadable: Bool
    ) throws(Errno) -> Int? {
        let process = Process.current
        switch request {
        case ControlRequest.getProcessGroup:
            guard isMaster || process.terminal === self else { throw .notTerminal }
            try UserPointer<Int32>(argument).store(foregroundGroup)
        case ControlRequest.getSession:
            guard isMaster || process.terminal === self, session != 0 else { throw .notTerminal }
            try UserPointer<Int32>(argument).store(session)
        case ControlRequest.setProcessGroup:
            try setForegroundGroup(try UserPointer<Int32>(argument).load(), process)
        case ControlRequest.setControllingTerminal:
            try control(process, steals: argument == 1, isReadable: isReadable)
        case ControlRequest.giveUpControllingTerminal:
            guard process.terminal === self else { throw .notTerminal }
            process.giveUpTerminal()
        default: return nil
        }
        return 0
    }

    private func setForegroundGroup(_ group: Int32, _ process: Process) throws(Errno) {
        try requireForeground(.terminalOutput)
        guard process.terminal === self, session == process.sessionID else { throw .notTerminal }
        guard group >= 0 else { throw .invalidArgument }
        guard let session = ProcessTable.session(ofGroup: group) else { throw .noSuchProcess }
        guard session == process.sessionID else { throw .notPermitted }
        foregroundGroup = group
    }

    /// As TIOCSCTTY: becomes the terminal of a session, whose leader asks.
    private func control(_ process: Process, steals: Bool, isReadable: Bool) throws(Errno) {
        let isLeader = process.sessionID == process.id
        if isLeader, session == process.sessionID { return }
        guard isLeader, process.terminal == nil else { throw .notPermitted }
        let isPrivileged = process.credentials.effectiveUser == 0
        if session != 0 {
            guard steals, isPrivileged else { throw .notPermitted }
            release()
        }
        guard isReadable || isPrivileged else { throw .notPermitted }
        control(process)
    }

    /// Becomes the terminal of a session, by its leader.
    final func control(_ leader: Process) {
        session = leader.sessionID
        foregroundGroup = leader.groupID
        leader.terminal = self
    }

    /// A leader of a session without a terminal that opens one makes it its own, unless it said
    /// otherwise: O_NOCTTY.
    final func wasOpened(_ flags: OpenFlags) {
        let process = Process.current
        guard !flags.contains(.noControllingTerminal), flags.isReadable, session == 0,
            process.sessionID == process.id, process.terminal == nil
        else { return }
        control(process)
    }

    /// Controls no session any more.
    final func release() {
        ProcessTable.forEach { if $0.terminal === self { $0.terminal = nil } }
        session = 0
        foregroundGroup = 0
    }

    /// Nobody is at the other end any more: tells the leader of the session, which is to tell others.
    final func hangUp() {
        guard session != 0 else { return }
        if let leader = ProcessTable.process(session), leader.terminal === self {
            Signals.send(.hangUp, to: leader)
            Signals.send(.continue, to: leader)
        }
        release()
    }

    /// Whether processes lose the terminal with the leader of their session.
    var endsWithLeader: Bool { true }
}

extension Process {
    /// As TIOCNOTTY: a leader gives the terminal up for its whole session.
    func giveUpTerminal() {
        guard let terminal else { return }
        guard sessionID == id else {
            self.terminal = nil
            return
        }
        terminal.raise(.hangUp)
        terminal.raise(.continue)
        terminal.release()
    }

    /// The leader of a session has ended: who is in the foreground is told.
    func leaveTerminal() {
        defer { terminal = nil }
        guard let terminal, sessionID == id, terminal.session == id, terminal.endsWithLeader else {
            return
        }
        terminal.raise(.hangUp)
        terminal.release()
    }
}
