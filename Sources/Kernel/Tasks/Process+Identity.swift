import LinuxABI

/// Changing identities: credentials(7). A value of nil keeps what is there.
extension Credentials {
    private var isPrivileged: Bool { effectiveUser == 0 }

    private func isOwnUser(_ user: UInt32) -> Bool {
        user == realUser || user == effectiveUser || user == savedUser
    }

    private func isOwnGroup(_ group: UInt32) -> Bool {
        group == realGroup || group == effectiveGroup || group == savedGroup
    }

    /// As setuid(2).
    public mutating func setUser(_ user: UInt32) throws(Errno) {
        guard user != .max else { throw .invalidArgument }
        if isPrivileged {
            realUser = user
            savedUser = user
        } else if user != realUser, user != savedUser {
            throw .notPermitted
        }
        effectiveUser = user
        fileSystemUser = user
    }

    /// As setgid(2).
    public mutating func setGroup(_ group: UInt32) throws(Errno) {
        guard group != .max else { throw .invalidArgument }
        if isPrivileged {
            realGroup = group
            savedGroup = group
        } else if group != realGroup, group != savedGroup {
            throw .notPermitted
        }
        effectiveGroup = group
        fileSystemGroup = group
    }

    /// As setreuid(2): the saved identity follows when the real one is set, or the effective one
    /// to another than the real one.
    public mutating func setUsers(real: UInt32?, effective: UInt32?) throws(Errno) {
        if let real, !isPrivileged, real != realUser, real != effectiveUser { throw .notPermitted }
        if let effective, !isPrivileged, !isOwnUser(effective) { throw .notPermitted }
        let before = realUser
        if let real { realUser = real }
        if let effective { effectiveUser = effective }
        if real != nil || (effective != nil && effective != before) { savedUser = effectiveUser }
        fileSystemUser = effectiveUser
    }

    /// As setregid(2).
    public mutating func setGroups(real: UInt32?, effective: UInt32?) throws(Errno) {
        if let real, !isPrivileged, real != realGroup, real != effectiveGroup {
            throw .notPermitted
        }
        if let effective, !isPrivileged, !isOwnGroup(effective) { throw .notPermitted }
        let before = realGroup
        if let real { realGroup = real }
        if let effective { effectiveGroup = effective }
        if real != nil || (effective != nil && effective != before) { savedGroup = effectiveGroup }
        fileSystemGroup = effectiveGroup
    }

    /// As setresuid(2).
    public mutating func setUsers(real: UInt32?, effective: UInt32?, saved: UInt32?)
        throws(Errno)
    {
        for user in [real, effective, saved] {
            if let user, !isPrivileged, !isOwnUser(user) { throw .notPermitted }
        }
        realUser = real ?? realUser
        effectiveUser = effective ?? effectiveUser
        savedUser = saved ?? savedUser
        fileSystemUser = effectiveUser
    }

    /// As setresgid(2).
    public mutating func setGroups(real: UInt32?, effective: UInt32?, saved: UInt32?)
        throws(Errno)
    {
        for group in [real, effective, saved] {
            if let group, !isPrivileged, !isOwnGroup(group) { throw .notPermitted }
        }
        realGroup = real ?? realGroup
        effectiveGroup = effective ?? effectiveGroup
        savedGroup = saved ?? savedGroup
        fileSystemGroup = effectiveGroup
    }

    /// As setfsuid(2): returns the old identity, and says nothing of a refusal.
    public mutating func setFileSystemUser(_ user: UInt32) -> UInt32 {
        let before = fileSystemUser
        if isPrivileged || isOwnUser(user) || user == before, user != .max {
            fileSystemUser = user
        }
        return before
    }

    /// As setfsgid(2).
    public mutating func setFileSystemGroup(_ group: UInt32) -> UInt32 {
        let before = fileSystemGroup
        if isPrivileged || isOwnGroup(group) || group == before, group != .max {
            fileSystemGroup = group
        }
        return before
    }

    /// As setgroups(2).
    public mutating func setSupplementaryGroups(_ groups: [UInt32]) throws(Errno) {
        guard isPrivileged else { throw .notPermitted }
        supplementaryGroups = groups
    }

    /// The capabilities that the identities imply, capabilities(7): all of Linux 6.1 for user 0,
    /// none for others.
    public var capabilities: UInt64 { effectiveUser == 0 ? Credentials.allCapabilities : 0 }

    /// Those that it may take: they go when no identity is root's any more.
    public var permittedCapabilities: UInt64 {
        realUser == 0 || savedUser == 0 ? Credentials.allCapabilities : capabilities
    }

    /// Whether something else may be done than with others.
    public func isOther(than other: Credentials) -> Bool {
        effectiveUser != other.effectiveUser || effectiveGroup != other.effectiveGroup
            || fileSystemUser != other.fileSystemUser || fileSystemGroup != other.fileSystemGroup
    }

    static var allCapabilities: UInt64 { (1 << 41) - 1 }
}

extension Process {
    /// A process by number, with zero for this one.
    public func named(_ id: Int32) throws(Errno) -> Process {
        if id == 0 { return self }
        guard let process = ProcessTable.process(id) else { throw .noSuchProcess }
        return process
    }
}
