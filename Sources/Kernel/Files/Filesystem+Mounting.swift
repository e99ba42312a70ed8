import LinuxABI

/// Being mounted, and not any more.
extension Filesystem {
    /// Puts the root on a directory, or on top of what is mounted there.
    func attach(to directory: Dentry) {
        let directory = directory.top
        directory.mounted = root
        root.mountPoint = directory
        // An alias is made anew for every path, but for this one.
        directory.bind?.pin(directory)
    }

    /// Takes the root away from where it is.
    func detach() {
        if let place = root.mountPoint { place.bind?.unpin(place) }
        root.mountPoint?.mounted = nil
        root.mountPoint = nil
        isExpiring = false
    }

    /// Takes a file system and all that is mounted in it out of the tree. Who uses them goes on; what nobody
    /// uses is freed.
    func detachTree() {
        for inner in Filesystem.mounts where inner !== self && inner.isMounted(in: self) {
            inner.detachTree()
        }
        let isInUse = isInUse || isBound
        if !isInUse { tellUnmounted() }
        detach()
        Filesystem.mounts.removeAll { $0 === self }
        if !isInUse { discard() }
    }

    private func isMounted(in outer: Filesystem) -> Bool {
        root?.mountPoint?.mount === outer
    }

    /// Whether a part of it is mounted elsewhere, for which it lives on.
    var isBound: Bool {
        Filesystem.mounts.contains { ($0 as? BindMount)?.origin === self }
    }

    var hasMountsInside: Bool {
        Filesystem.mounts.contains { $0 !== self && $0.isMounted(in: self) }
    }

    /// Ends those watches that are of its files.
    func tellUnmounted() {
        guard !FileWatches.isIdle else { return }
        FileWatches.endAll(of: self)
    }

    // MARK: Who uses it

    /// Whether a process has a file of it open, runs from one, maps one or is in one of its directories.
    var isInUse: Bool { isUsed { _ in true } }

    var isOpenForWriting: Bool {
        isUsed { file in
            guard let file else { return false }
            return file.flags.isWritable
        }
    }

    /// Whether any use of the file system fulfils a condition: files that are open, or nil for others.
    private func isUsed(_ condition: (OpenFile?) -> Bool) -> Bool {
        var found = false
        ProcessTable.forEach { process in
            if let paths = process.paths,
                paths.root.mount === self || paths.workingDirectory.mount === self
            {
                found = found || condition(nil)
            }
            guard !found, let table = process.descriptors else { return }
            var next = 0
            while let descriptor = table.next(from: next) {
                next = descriptor + 1
                guard let file = table.find(FileDescriptor(Int32(descriptor))) else { continue }
                let open = file.takeUnretainedValue()
                if open.dentry?.mount === self, condition(open) { found = true }
            }
            if let space = process.addressSpace, space.maps(self) {
                found = found || condition(nil)
            }
        }
        return found
    }
}

extension AddressSpace {
    /// Whether a file of a file system is mapped, as a program that runs from it is.
    fileprivate func maps(_ filesystem: Filesystem) -> Bool {
        var found = false
        forEachRegion(from: 0, to: .max) { region in
            guard let source = region.pointee.source else { return }
            if source.takeUnretainedValue().name.mappedFilesystem === filesystem { found = true }
        }
        return found
    }
}

extension MemoryFilesystem {
    /// Takes the options of mount(2) for tmpfs(5): size, nr_blocks, mode, uid, gid.
    /// Throws `invalidArgument` for any other.
    func take(options: UnsafeRawBufferPointer, isNew: Bool) throws(Errno) {
        var rest = options[...]
        while !rest.isEmpty {
            let word = rest.prefix { $0 != 0x2c }
            rest = rest[word.endIndex...].dropFirst()
            guard !word.isEmpty else { continue }
            try take(UnsafeRawBufferPointer(rebasing: word), isNew)
        }
    }

    private func take(_ option: UnsafeRawBufferPointer, _ isNew: Bool) throws(Errno) {
        let root = root.inode!
        if let value = option.value(of: "size=") {
            try setLimit(
                pages: (try value.size(percentOf: FrameAllocator.totalFrames << 12) + pageMask)
                    >> 12
            )
        } else if let value = option.value(of: "nr_blocks=") {
            try setLimit(pages: try value.size(percentOf: 0))
        } else if let value = option.value(of: "mode=") {
            let mode = try value.number(base: 8)
            if isNew {
                root.mode.permissions = UInt32(mode & 0o7777)
                rootPermissions = UInt32(mode & 0o7777)
            }
        } else if let value = option.value(of: "uid=") {
            let user = try value.number(base: 10)
            if isNew {
                root.user = UInt32(truncatingIfNeeded: user)
                rootOwner.user = root.user
            }
        } else if let value = option.value(of: "gid=") {
            let group = try value.number(base: 10)
            if isNew {
                root.group = UInt32(truncatingIfNeeded: group)
                rootOwner.group = root.group
            }
        } else {
            throw .invalidArgument
        }
    }

    /// Zero is no limit but the memory's.
    private func setLimit(pages: Int) throws(Errno) {
        let limit = pages == 0 ? FrameAllocator.totalFrames : pages
        guard limit >= usedPages else { throw .invalidArgument }
        pageLimit = limit
        hasOwnLimit = true
    }
}

extension UnsafeRawBufferPointer {
    fileprivate func value(of option: StaticString) -> UnsafeRawBufferPointer? {
        guard hasPrefix(option) else { return nil }
        return UnsafeRawBufferPointer(rebasing: self[option.utf8CodeUnitCount...])
    }

    /// The number that all bytes are.
    fileprivate func number(base: Int) throws(Errno) -> Int {
        guard !isEmpty, count < 18 else { throw .invalidArgument }
        var value = 0
        for byte in self {
            guard byte >= 0x30, Int(byte) < 0x30 + base else { throw .invalidArgument }
            value = value * base + Int(byte - 0x30)
        }
        return value
    }

    /// A number with k, m, g or % behind it.
    fileprivate func size(percentOf whole: Int) throws(Errno) -> Int {
        guard let last else { throw .invalidArgument }
        let shift: Int
        switch last | 0x20 {
        case 0x6b: shift = 10
        case 0x6d: shift = 20
        case 0x67: shift = 30
        default:
            guard last == 0x25 else { return try number(base: 10) }
            let part = try UnsafeRawBufferPointer(rebasing: dropLast()).number(base: 10)
            guard part <= 100 else { throw .invalidArgument }
            return whole / 100 * part
        }
        let value = try UnsafeRawBufferPointer(rebasing: dropLast()).number(base: 10)
        guard value < 1 << 30 else { throw .invalidArgument }
        return value << shift
    }
}
