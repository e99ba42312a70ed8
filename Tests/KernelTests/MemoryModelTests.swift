import LinuxABI
import LoaderCore
import Platform
import Testing

@testable import Kernel

/// Random mmap, munmap, mprotect, mremap and madvise against an array of pages.
@Suite struct MemoryModelTests {
    @Test(arguments: 1...12)
    func randomCallsAgreeWithAnArrayOfPages(seed: UInt64) throws {
        try withMachine {
            let space = AddressSpace()
            let file = try TestFile(pages: MemoryModel.count, holes: [3, 4, 5, 20, 40])
            var driver = ModelDriver(space: space, file: file, seed: seed)
            for step in 0..<400 {
                let call = try driver.step()
                if let difference = driver.model.differenceFromList(space) {
                    Issue.record("after step \(step), \(call): \(difference)")
                    return
                }
                if step % 8 == 0, let difference = driver.model.differenceFromHost() {
                    Issue.record("after step \(step), \(call): \(difference)")
                    return
                }
                if step % 8 == 4, let difference = driver.model.differenceInContent(space) {
                    Issue.record("after step \(step), \(call): \(difference)")
                    return
                }
            }
            #expect(space.totalPages == driver.model.pages.count { $0 != nil })
            let data = driver.model.pages.count {
                guard let page = $0 else { return false }
                return page.protection.contains(.write) && !page.isShared
            }
            #expect(space.dataPages == data)
            space.removeAll()
            #expect(space.totalPages == 0 && space.dataPages == 0 && space.mappingCount == 0)
            #expect(file.mappedRegions == 0)
        }
    }
}

private struct ModelDriver {
    let space: AddressSpace
    let file: TestFile
    var random: SeededRandom
    var model = MemoryModel()
    var nextContent: UInt64 = 1

    init(space: AddressSpace, file: TestFile, seed: UInt64) {
        self.space = space
        self.file = file
        random = SeededRandom(seed: seed)
    }

    private mutating func number(_ limit: Int) -> Int { Int(random.next() % UInt64(limit)) }

    private mutating func range() -> Range<Int> {
        let start = number(MemoryModel.count)
        return start..<min(MemoryModel.count, start + 1 + number(12))
    }

    private mutating func protection() -> MappingProtection {
        [[], .read, [.read, .write], [.read, .write], [.read, .execute]][number(5)]
    }

    mutating func step() throws -> String {
        switch number(10) {
        case 0, 1, 2: try mapAnonymous()
        case 3: try mapFile()
        case 4: try unmap()
        case 5, 6: protect()
        case 7: try remap()
        case 8: discard()
        default: write()
        }
    }

    private mutating func mapAnonymous() throws -> String {
        let pages = range()
        let permitted = protection()
        let isShared = number(4) == 0
        _ = try space.map(
            at: MemoryModel.address(pages.lowerBound),
            length: UInt64(pages.count * pageSize),
            protection: permitted,
            flags: [isShared ? .shared : .private, .fixed, .anonymous],
            source: .anonymous,
            offset: 0
        )
        for page in pages {
            model.pages[page] = MemoryModel.Page(
                protection: permitted,
                isShared: isShared,
                content: 0
            )
        }
        return "map \(pages) \(permitted.rawValue)"
    }

    private mutating func mapFile() throws -> String {
        let pages = range()
        let permitted = protection()
        let isShared = number(3) == 0
        let first = number(MemoryModel.count - pages.count)
        _ = try space.map(
            at: MemoryModel.address(pages.lowerBound),
            length: UInt64(pages.count * pageSize),
            protection: permitted,
            flags: [isShared ? .shared : .private, .fixed],
            source: .file(file, name: file, mayWrite: true, mayExecute: true),
            offset: UInt64(first * pageSize)
        )
        for page in pages {
            let shown = first + page - pages.lowerBound
            model.pages[page] = MemoryModel.Page(
                protection: permitted,
                isShared: isShared,
                filePage: shown
            )
        }
        return "map file \(pages) \(permitted.rawValue) from \(first)"
    }

    private mutating func unmap() throws -> String {
        let pages = range()
        try space.unmap(
            MemoryModel.address(pages.lowerBound),
            length: UInt64(pages.count * pageSize)
        )
        for page in pages { model.pages[page] = nil }
        return "unmap \(pages)"
    }

    private mutating func protect() -> String {
        let pages = range()
        let permitted = protection()
        var failure: Errno?
        do throws(Errno) {
            try space.protect(
                MemoryModel.address(pages.lowerBound),
                length: UInt64(pages.count * pageSize),
                bits: UInt32(permitted.rawValue)
            )
        } catch { failure = error }
        for page in pages {
            guard model.pages[page] != nil else {
                precondition(failure == .noMemory)
                return "protect \(pages) up to \(page)"
            }
            model.pages[page]!.protection = permitted
        }
        precondition(failure == nil)
        return "protect \(pages) \(permitted.rawValue)"
    }

    private mutating func remap() throws -> String {
        let pages = range()
        let target = range()
        let newCount = target.count
        let start = MemoryModel.address(pages.lowerBound)
        var failure: Errno?
        do throws(Errno) {
            _ = try space.remap(
                start,
                from: UInt64(pages.count * pageSize),
                to: UInt64(newCount * pageSize),
                flags: [.mayMove, .fixed],
                at: MemoryModel.address(target.lowerBound)
            )
        } catch { failure = error }
        guard model.pages[pages.lowerBound] != nil else {
            precondition(failure == .badAddress)
            return "remap of nothing"
        }
        guard !pages.overlaps(target) else {
            precondition(failure == .invalidArgument)
            return "remap onto itself"
        }
        for page in target { model.pages[page] = nil }
        // What is cut off at the old end is unmapped before anything is checked.
        let kept = min(pages.count, newCount)
        for page in pages.dropFirst(newCount) { model.pages[page] = nil }
        guard failure == nil else { return "remap \(pages) to \(target) failed" }
        let last = model.pages[pages.lowerBound + kept - 1]!
        for index in 0..<newCount {
            var page = index < kept ? model.pages[pages.lowerBound + index] : last
            if index >= kept {
                page!.content = 0
                if let shown = last.filePage { page!.filePage = shown + index - kept + 1 }
                if last.filePage != nil || last.isShared { page!.content = nil }
            }
            model.pages[target.lowerBound + index] = page
            if index < kept { model.pages[pages.lowerBound + index] = nil }
        }
        try hideBeyondEnd(target)
        return "remap \(pages) to \(target)"
    }

    /// Pages that a mapping grew beyond its object cannot be read: unmap them again.
    private mutating func hideBeyondEnd(_ target: Range<Int>) throws {
        for page in target {
            guard let entry = model.pages[page] else { continue }
            let isBeyond = (entry.filePage ?? 0) >= MemoryModel.count
            guard isBeyond || (entry.isShared && entry.filePage == nil && entry.content == nil)
            else { continue }
            try space.unmap(MemoryModel.address(page), length: UInt64(pageSize))
            model.pages[page] = nil
        }
    }

    private mutating func discard() -> String {
        let pages = range()
        try? space.advise(
            MemoryModel.address(pages.lowerBound),
            length: UInt64(pages.count * pageSize),
            .dontNeed
        )
        for page in pages {
            guard let entry = model.pages[page], !entry.isShared else { continue }
            model.pages[page]!.content = entry.filePage == nil ? 0 : nil
        }
        return "discard \(pages)"
    }

    private mutating func write() -> String {
        let page = number(MemoryModel.count)
        guard let entry = model.pages[page], entry.protection.contains(.write),
            !(entry.isShared && entry.filePage != nil)
        else { return "nothing" }
        let address = MemoryModel.address(page)
        if HostMappings.protections(address, 1)[0] == 0 {
            precondition(space.handleFault(address, .write) == .resolved)
        }
        UnsafeMutableRawPointer(bitPattern: UInt(address))!
            .storeBytes(of: nextContent, as: UInt64.self)
        model.pages[page]!.content = nextContent
        nextContent += 1
        return "write \(page)"
    }
}
