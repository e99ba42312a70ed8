import LinuxABI

/// Process groups and sessions: credentials(7), setpgid(2).
extension Process {
    /// As setsid(2). Throws `notPermitted` for the leader of a process group.
    public func startSession() throws(Errno) -> Int32 {
        guard ProcessTable.member(ofGroup: id) == nil else { throw .notPermitted }
        sessionID = id
        groupID = id
        terminal = nil
        return id
    }

    /// As setpgid(2): a zero stands for this process, or for the target's own number as a group.
    ///
    /// Throws `noSuchProcess` for any but this process and its children, `permissionDenied` for a child
    /// that has executed a program, `notPermitted` for the leader of a session, and out of the session.
    public func setGroup(of target: Int32, to group: Int32) throws(Errno) {
        guard group >= 0, group != 0 || target >= 0 else { throw .invalidArgument }
        let process = try named(target)
        guard process === self || process.parent === self else { throw .noSuchProcess }
        if process !== self {
            guard process.sessionID == sessionID else { throw .notPermitted }
            guard !process.hasExecuted else { throw .permissionDenied }
        }
        guard process.sessionID != process.id else { throw .notPermitted }
        let group = group == 0 ? process.id : group
        guard group == process.id || isGroupOfSession(group) else { throw .notPermitted }
        process.groupID = group
    }

    /// Whether a process group has members in the session of this process.
    private func isGroupOfSession(_ group: Int32) -> Bool {
        ProcessTable.contains { $0.groupID == group && $0.sessionID == sessionID }
    }

    // MARK: Orphaned groups

    /// Whether nobody outside the group, but in its session, is parent of a member: nobody would continue
    /// it.
    static func isOrphaned(_ group: Int32) -> Bool {
        !ProcessTable.contains { member in
            guard member.groupID == group, !member.hasEnded else { return false }
            // The shell that started unirun stands outside the first program's group.
            guard let parent = member.parent else { return member.id == firstID }
            return parent.groupID != group && parent.sessionID == member.sessionID
        }
    }

    var isGroupOrphaned: Bool { Process.isOrphaned(groupID) }

    /// Tells a group with stopped members when it becomes orphaned, exit(3): this process leaves it, or
    /// has lost its parent.
    func tellGroupIfOrphaned(by parent: Process?) {
        guard ProcessTable.stoppedCount > 0, let parent, parent.groupID != groupID,
            parent.sessionID == sessionID, Process.isOrphaned(groupID),
            ProcessTable.contains({ $0.groupID == groupID && $0.isStopped })
        else { return }
        Signals.send(.hangUp, toGroup: groupID)
        Signals.send(.continue, toGroup: groupID)
    }
}

extension ProcessTable {
    static func contains(_ isMeant: (Process) -> Bool) -> Bool {
        first(where: isMeant) != nil
    }

    static func member(ofGroup group: Int32) -> Process? {
        first { $0.groupID == group }
    }

    /// The session of a group, or of the process whose number it is.
    static func session(ofGroup group: Int32) -> Int32? {
        (member(ofGroup: group) ?? process(group))?.sessionID
    }
}

extension Signals {
    /// Sends a signal of the kernel's own to a process group.
    static func send(_ signal: Signal, toGroup group: Int32) {
        ProcessTable.forEach { if $0.groupID == group { send(signal, to: $0) } }
    }
}
