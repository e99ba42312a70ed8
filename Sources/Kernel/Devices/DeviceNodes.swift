import LinuxABI

/// What /dev holds from the start: nodes of devices, and links to the standard streams. As with any
/// layer below, an inode is made when a path first leads to it; most programs look at none.
final class DeviceNodes: LowerDirectory {
    private struct Link {
        let name: StaticString
        let target: StaticString
    }

    private static let links: InlineArray<4, Link> = [
        Link(name: "fd", target: "/proc/self/fd"),
        Link(name: "stdin", target: "/proc/self/fd/0"),
        Link(name: "stdout", target: "/proc/self/fd/1"),
        Link(name: "stderr", target: "/proc/self/fd/2"),
    ]

    /// The place of a name: character devices first, then disks, then links.
    private static var firstDisk: Int { CharacterDevices.entries.count }
    private static var firstLink: Int { firstDisk + Int(Disks.limit) }
    private static var count: Int { firstLink + links.count }

    private var last = 0

    override func find(_ name: Name, _ filesystem: MemoryFilesystem) throws(Errno) -> Inode? {
        for place in 0..<DeviceNodes.count where DeviceNodes.name(place, isEqual: name) {
            guard DeviceNodes.exists(place) else { return nil }
            return DeviceNodes.make(place, filesystem)
        }
        return nil
    }

    override func next(_ position: inout Int) throws(Errno) -> [UInt8]? {
        while position < DeviceNodes.count {
            last = position
            position += 1
            if DeviceNodes.exists(last) { return DeviceNodes.name(last) }
        }
        return nil
    }

    override func makeLast(_ filesystem: MemoryFilesystem) throws(Errno) -> Inode {
        DeviceNodes.make(last, filesystem)
    }

    private static func exists(_ place: Int) -> Bool {
        guard place >= firstDisk, place < firstLink else { return true }
        return Disks.exists(UInt32(place - firstDisk))
    }

    private static func name(_ place: Int, isEqual name: Name) -> Bool {
        if place < firstDisk { return name.equals(CharacterDevices.entries[place].name) }
        if place >= firstLink { return name.equals(links[place - firstLink].name) }
        let own = Disks.name(UInt32(place - firstDisk))
        guard name.count == own.count else { return false }
        for index in own.indices where name.bytes[index] != own[index] { return false }
        return true
    }

    private static func name(_ place: Int) -> [UInt8] {
        var text = TextBuffer()
        if place < firstDisk {
            text.append(CharacterDevices.entries[place].name)
        } else if place >= firstLink {
            text.append(links[place - firstLink].name)
        } else {
            let name = Disks.name(UInt32(place - firstDisk))
            for index in name.indices { text.append(byte: name[index]) }
        }
        return text.bytes
    }

    private static func make(_ place: Int, _ filesystem: MemoryFilesystem) -> Inode {
        if place >= firstLink { return makeLink(links[place - firstLink].target, filesystem) }
        return SpecialFile(filesystem, place < firstDisk ? device(place) : disk(place - firstDisk))
    }

    private static func device(_ place: Int) -> NewNode {
        let entry = CharacterDevices.entries[place]
        return NewNode(
            mode: FileMode(.characterDevice, permissions: entry.permissions),
            user: 0,
            group: 0,
            device: deviceNumber(entry.major, entry.minor)
        )
    }

    private static func disk(_ number: Int) -> NewNode {
        let diskGroup: UInt32 = 6
        return NewNode(
            mode: FileMode(.blockDevice, permissions: 0o660),
            user: 0,
            group: diskGroup,
            device: deviceNumber(Disks.major, Disks.minor(UInt32(number)))
        )
    }

    private static func makeLink(_ target: StaticString, _ filesystem: MemoryFilesystem) -> Inode {
        let node = NewNode(
            mode: FileMode(.symbolicLink, permissions: 0o777),
            user: 0,
            group: 0,
            target: UnsafeRawBufferPointer(
                start: target.utf8Start,
                count: target.utf8CodeUnitCount
            )
        )
        return SymbolicLink(filesystem, node)
    }
}
