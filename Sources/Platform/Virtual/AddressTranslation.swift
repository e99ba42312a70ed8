import Platform

/// What the contract's operations on the program's address space do in a machine, and what a page
/// fault does.
///
/// A mapping costs nothing but entries that are not present, whole gigabytes by one of them; pages
/// become present when they are touched. Where 2 MiB of anonymous memory are in one piece and memory is
/// plenty, that is one page; it is cut when a part of it is to be changed.
enum AddressTranslation {
    private static let noMemory: Int64 = -12

    // MARK: Operations of the contract

    static func mapAnonymous(_ start: UInt64, _ length: UInt64, _ protection: UInt32) -> Int64 {
        map(start, length, PageEntry(.anonymous, protection: protection))
    }

    static func mapMemory(
        _ start: UInt64,
        _ length: UInt64,
        _ offset: UInt64,
        _ protection: UInt32,
        _ isShared: UInt32
    ) -> Int64 {
        let kind: PageEntry.Kind = isShared != 0 ? .shared : .copied
        var done: UInt64 = 0
        while done < length {
            let run = MachineMemory.run(offset + done, length - done)
            let address = MachineMemory.physical(offset + done)
            let first = PageEntry(kind, at: address, protection: protection)
            let answer = map(start + done, run, first)
            guard answer >= 0 else { return answer }
            done += run
        }
        return 0
    }

    static func mapImage(
        _ start: UInt64,
        _ length: UInt64,
        _ image: UInt32,
        _ offset: UInt64,
        _ protection: UInt32
    ) -> Int64 {
        let pages = Images.pages(image)
        let end = pages.upperBound - pages.lowerBound
        let present = min(length, end > offset ? end - offset : 0)
        if present > 0 {
            let address = pages.lowerBound + offset
            let answer = map(
                start,
                present,
                PageEntry(.copied, at: address, protection: protection)
            )
            guard answer >= 0 else { return answer }
        }
        guard length > present else { return 0 }
        return map(start + present, length - present, PageEntry(.beyond, protection: protection))
    }

    static func unmap(_ start: UInt64, _ length: UInt64) -> Int64 {
        change(start, length) { _, entry in
            PageFrames.release(entry)
            return .empty
        }
    }

    static func protect(_ start: UInt64, _ length: UInt64, _ protection: UInt32) -> Int64 {
        change(start, length) { _, entry in entry.with(protection: protection) }
    }

    static func discard(_ start: UInt64, _ length: UInt64) -> Int64 {
        change(start, length) { _, entry in
            guard entry.isOwn else { return entry }
            let origin = PageFrames.origin(of: entry)
            PageFrames.release(entry)
            return origin == 0
                ? PageEntry(.anonymous, protection: entry.protection)
                : PageEntry(.copied, at: origin, protection: entry.protection)
        }
    }

    static func resident(
        _ start: UInt64,
        _ length: UInt64,
        _ pages: UnsafeMutablePointer<UInt8>
    ) -> Int64 {
        for index in 0..<Int(length >> 12) {
            let entry = PageTables.page(at: start + UInt64(index) << 12)
            pages[index] = entry.isPresent || entry.isOwn ? 1 : 0
        }
        return 0
    }

    static func move(
        _ from: UInt64,
        _ fromLength: UInt64,
        _ target: UInt64,
        _ targetLength: UInt64
    ) -> Int64 {
        let kept = min(fromLength, targetLength)
        let last = kept > 0 ? PageTables.page(at: from + kept - 4096) : .empty
        if from != target {
            guard unmap(target, targetLength) >= 0 else { return noMemory }
            var offset: UInt64 = 0
            while offset < kept {
                let entry = PageTables.page(at: from + offset)
                guard set(entry, at: target + offset) else { return noMemory }
                guard set(.empty, at: from + offset) else { return noMemory }
                offset += 4096
            }
        }
        if fromLength > kept { return unmap(from + kept, fromLength - kept) }
        guard targetLength > kept else { return 0 }
        // The kernel grows only anonymous memory so.
        return mapAnonymous(target + kept, targetLength - kept, last.protection)
    }

    private static func set(_ page: PageEntry, at address: UInt64) -> Bool {
        change(address, 4096, fillsHoles: !page.isEmpty) { _, _ in page } >= 0
    }

    private static func map(_ start: UInt64, _ length: UInt64, _ first: PageEntry) -> Int64 {
        // Where whole tables may go away they do so first.
        if length >= PageTables.span(1) {
            let answer = unmap(start, length)
            guard answer >= 0 else { return answer }
        }
        return change(start, length, fillsHoles: true) { address, entry in
            PageFrames.release(entry)
            return first.part(address - start)
        }
    }

    @inline(__always)
    private static func change(
        _ start: UInt64,
        _ length: UInt64,
        fillsHoles: Bool = false,
        _ body: (UInt64, PageEntry) -> PageEntry
    ) -> Int64 {
        PageTables.change(start, length, fillsHoles, body) ? 0 : noMemory
    }

    // MARK: Faults

    enum Outcome {
        case resolved
        case refused
        case beyondFile
        /// No frame is left for the page.
        case outOfMemory
    }

    /// Makes a page present that is there to be touched, if the access is allowed.
    static func resolve(_ address: UInt64, write: Bool, fetch: Bool) -> Outcome {
        var place = PageTables.find(address)
        if place.level > 0 {
            guard !place.entry.pointee.isEmpty else { return .refused }
            place = PageTables.find(address, downTo: 1, cuts: true)
            if place.level == 1, let outcome = resolveLarge(place.entry, write, fetch) {
                if outcome == .resolved { page_invalidate(address) }
                return outcome
            }
            place = PageTables.find(address, cuts: true)
            guard place.level == 0 else { return .outOfMemory }
        }
        let outcome = resolve(place.entry, write, fetch)
        if outcome == .resolved { page_invalidate(address) }
        return outcome
    }

    private static func resolve(
        _ entry: UnsafeMutablePointer<PageEntry>,
        _ write: Bool,
        _ fetch: Bool
    ) -> Outcome {
        let page = entry.pointee
        guard !page.isEmpty, page.allows(write: write, fetch: fetch) else { return .refused }
        switch page.kind {
        case .none: return .refused
        case .beyond: return .beyondFile
        case .shared, .owned: entry.pointee = page.madePresent
        case .copied where !write, .forked where !write: entry.pointee = page.madePresent
        case .forked where PageFrames.isAlone(page):
            entry.pointee =
                PageEntry(.owned, at: page.address, protection: page.protection).madePresent
        case .copied, .forked, .anonymous:
            guard let frame = PageFrames.take(copying: page) else { return .outOfMemory }
            PageFrames.release(page)
            entry.pointee = PageEntry(.owned, at: frame, protection: page.protection).madePresent
        }
        return .resolved
    }

    /// As `resolve`, for the entry of 2 MiB that are a large page, or may be one; nil for others.
    private static func resolveLarge(
        _ entry: UnsafeMutablePointer<PageEntry>,
        _ write: Bool,
        _ fetch: Bool
    ) -> Outcome? {
        let page = entry.pointee
        guard page.isLarge || page.kind == .anonymous else { return nil }
        guard page.allows(write: write, fetch: fetch) else { return .refused }
        if page.isLarge {
            entry.pointee = page.madePresent
        } else {
            guard let frames = PageFrames.takeLarge() else { return nil }
            entry.pointee = PageEntry(largeAt: frames, protection: page.protection).madePresent
        }
        return .resolved
    }
}
