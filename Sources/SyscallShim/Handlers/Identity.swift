import Kernel
import LinuxABI

/// A user or group from a register; -1 keeps what is there.
private func identity(_ register: UInt) -> UInt32? { register.low == .max ? nil : register.low }

/// getuid(2)
func sysUser(_: UInt, _: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    Int(Process.current.credentials.realUser)
}

/// geteuid(2)
func sysEffectiveUser(_: UInt, _: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    Int(Process.current.credentials.effectiveUser)
}

/// getgid(2)
func sysGroup(_: UInt, _: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    Int(Process.current.credentials.realGroup)
}

/// getegid(2)
func sysEffectiveGroup(_: UInt, _: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    Int(Process.current.credentials.effectiveGroup)
}

/// The calls that change identities.
private enum IdentityCall {
    case user, group, users, groups, allUsers, allGroups, fileUser, fileGroup
}

/// Does all of them, for each is little. Who took another identity may hold what that may not see, in a
/// core for one: prctl(2), PR_SET_DUMPABLE and PR_SET_PDEATHSIG.
@inline(never)
private func change(_ call: IdentityCall, _ first: UInt, _ second: UInt = 0, _ third: UInt = 0)
    -> Int
{
    answer { (thread) throws(Errno) in
        let process = thread.process!
        var own = process.credentials
        var result = 0
        let (real, effective, saved) = (identity(first), identity(second), identity(third))
        switch call {
        case .user: try own.setUser(first.low)
        case .group: try own.setGroup(first.low)
        case .users: try own.setUsers(real: real, effective: effective)
        case .groups: try own.setGroups(real: real, effective: effective)
        case .allUsers: try own.setUsers(real: real, effective: effective, saved: saved)
        case .allGroups: try own.setGroups(real: real, effective: effective, saved: saved)
        case .fileUser: result = Int(own.setFileSystemUser(first.low))
        case .fileGroup: result = Int(own.setFileSystemGroup(first.low))
        }
        if own.isOther(than: process.credentials) {
            process.attributes.isDumpable = false
            process.attributes.parentDeathSignal = 0
        }
        process.credentials = own
        return result
    }
}

/// setuid(2)
func sysSetUser(_ user: UInt, _: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    change(.user, user)
}

/// setgid(2)
func sysSetGroup(_ group: UInt, _: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    change(.group, group)
}

/// setreuid(2)
func sysSetRealUser(_ real: UInt, _ effective: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    change(.users, real, effective)
}

/// setregid(2)
func sysSetRealGroup(_ real: UInt, _ effective: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    change(.groups, real, effective)
}

/// setresuid(2)
func sysSetUsers(_ real: UInt, _ effective: UInt, _ saved: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    change(.allUsers, real, effective, saved)
}

/// setresgid(2)
func sysSetGroups(_ real: UInt, _ effective: UInt, _ saved: UInt, _: UInt, _: UInt, _: UInt) -> Int
{
    change(.allGroups, real, effective, saved)
}

/// getresuid(2)
func sysUsers(_ real: UInt, _ effective: UInt, _ saved: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in
        let credentials = thread.process.credentials
        try UserPointer<UInt32>(real).store(credentials.realUser)
        try UserPointer<UInt32>(effective).store(credentials.effectiveUser)
        try UserPointer<UInt32>(saved).store(credentials.savedUser)
        return 0
    }
}

/// getresgid(2)
func sysGroups(_ real: UInt, _ effective: UInt, _ saved: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in
        let credentials = thread.process.credentials
        try UserPointer<UInt32>(real).store(credentials.realGroup)
        try UserPointer<UInt32>(effective).store(credentials.effectiveGroup)
        try UserPointer<UInt32>(saved).store(credentials.savedGroup)
        return 0
    }
}

/// setfsuid(2)
func sysSetFileSystemUser(_ user: UInt, _: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    change(.fileUser, user)
}

/// setfsgid(2)
func sysSetFileSystemGroup(_ group: UInt, _: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    change(.fileGroup, group)
}

/// getgroups(2)
func sysSupplementaryGroups(_ count: UInt, _ list: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int
{
    answer { (thread) throws(Errno) in
        let groups = thread.process.credentials.supplementaryGroups
        guard count.int >= 0 else { throw .invalidArgument }
        guard count.int != 0 else { return groups.count }
        guard Int(count.int) >= groups.count else { throw .invalidArgument }
        for index in 0..<groups.count {
            try UserPointer<UInt32>(list)[index].store(groups[index])
        }
        return groups.count
    }
}

/// setgroups(2)
func sysSetSupplementaryGroups(
    _ count: UInt,
    _ list: UInt,
    _: UInt,
    _: UInt,
    _: UInt,
    _: UInt
) -> Int {
    answer { (thread) throws(Errno) in
        let process = thread.process!
        guard process.credentials.effectiveUser == 0 else { throw .notPermitted }
        // NGROUPS_MAX
        guard count.low <= 65_536 else { throw .invalidArgument }
        var groups: [UInt32] = []
        groups.reserveCapacity(Int(count.low))
        for index in 0..<Int(count.low) {
            groups.append(try UserPointer<UInt32>(list)[index].load())
        }
        try process.credentials.setSupplementaryGroups(groups)
        return 0
    }
}

/// capget(2)
func sysGetCapabilities(_ header: UInt, _ data: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in
        let words = try capabilityWords(header, mayProbe: data == 0)
        guard data != 0, words > 0 else { return 0 }
        let request = try UserPointer<CapabilityHeader>(header).load()
        guard request.process >= 0 else { throw .invalidArgument }
        let credentials = try thread.process.named(request.process).credentials
        let (held, allowed) = (credentials.capabilities, credentials.permittedCapabilities)
        for word in 0..<words {
            var set = CapabilityData()
            set.effective = UInt32(truncatingIfNeeded: held >> UInt64(word * 32))
            set.permitted = UInt32(truncatingIfNeeded: allowed >> UInt64(word * 32))
            try UserPointer<CapabilityData>(data)[word].store(set)
        }
        return 0
    }
}

/// Words a set of the version that the header asks for; an unknown one is told the newest.
private func capabilityWords(_ header: UInt, mayProbe: Bool) throws(Errno) -> Int {
    let version = try UserPointer<UInt32>(header).load()
    switch version {
    case CapabilityHeader.first: return 1
    case CapabilityHeader.second, CapabilityHeader.third: return 2
    default:
        try UserPointer<UInt32>(header).store(CapabilityHeader.third)
        if mayProbe { return 0 }
        throw .invalidArgument
    }
}

/// capset(2): the sets follow the identities, so that only what they imply can be set.
func sysSetCapabilities(_ header: UInt, _ data: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in
        let words = try capabilityWords(header, mayProbe: false)
        let request = try UserPointer<CapabilityHeader>(header).load()
        guard request.process == 0 || request.process == thread.id else { throw .notPermitted }
        let (held, allowed) = (
            thread.process.credentials.capabilities,
            thread.process.credentials.permittedCapabilities
        )
        for word in 0..<words {
            let set = try UserPointer<CapabilityData>(data)[word].load()
            guard set.effective == UInt32(truncatingIfNeeded: held >> UInt64(word * 32)),
                set.permitted == UInt32(truncatingIfNeeded: allowed >> UInt64(word * 32)),
                set.inheritable == 0
            else { throw .notPermitted }
        }
        return 0
    }
}

let identityRows: InlineArray<_, Row> = [
    Row(102, "getuid", sysUser, result: .user),
    Row(104, "getgid", sysGroup, result: .group),
    Row(107, "geteuid", sysEffectiveUser, result: .user),
    Row(108, "getegid", sysEffectiveGroup, result: .group),
    Row(105, "setuid", sysSetUser, .full, .user),
    Row(106, "setgid", sysSetGroup, .full, .group),
    Row(113, "setreuid", sysSetRealUser, .full, .user, .user),
    Row(114, "setregid", sysSetRealGroup, .full, .group, .group),
    Row(117, "setresuid", sysSetUsers, .full, .user, .user, .user),
    Row(119, "setresgid", sysSetGroups, .full, .group, .group, .group),
    Row(118, "getresuid", sysUsers, .full, .address, .address, .address),
    Row(120, "getresgid", sysGroups, .full, .address, .address, .address),
    Row(122, "setfsuid", sysSetFileSystemUser, .full, .user, result: .user),
    Row(123, "setfsgid", sysSetFileSystemGroup, .full, .group, result: .group),
    Row(115, "getgroups", sysSupplementaryGroups, .full, .integer, .address),
    Row(116, "setgroups", sysSetSupplementaryGroups, .full, .integer, .address),
    Row(125, "capget", sysGetCapabilities, .full, .address, .address),
    Row(
        126,
        "capset",
        sysSetCapabilities,
        .partial,
        .address,
        .address,
        note: "EPERM for other sets than the identities imply"
    ),
]
