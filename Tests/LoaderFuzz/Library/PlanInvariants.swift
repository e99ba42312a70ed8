import LoaderCore

extension LoadPlan {
    /// What is wrong with a plan that was made, or `nil`: the promises that the kernel builds on.
    public func brokenPromise(fileSize: UInt64, limits: AddressLimits) -> String? {
        guard !mappings.isEmpty else { return "no mappings" }
        guard mappings.count <= 2 * LoadPlan.maximumSegments else { return "too many mappings" }
        guard addresses.lowerBound >= limits.lowest, addresses.upperBound <= limits.highest else {
            return "addresses outside the limits"
        }
        guard alignment.nonzeroBitCount == 1, alignment >= 4096 else { return "alignment" }
        if isPositionIndependent, bias % 4096 != 0 { return "bias is no page" }
        if !isPositionIndependent, bias != 0 { return "bias of a fixed program" }
        var end = addresses.lowerBound
        for mapping in mappings {
            if let reason = Self.brokenPromise(mapping, after: end, fileSize, limits) {
                return reason
            }
            end = mapping.addresses.upperBound
        }
        guard end == addresses.upperBound else { return "the last mapping is not the end" }
        let code = mappings.contains {
            $0.addresses.contains(entry) && $0.protection.contains(.execute)
        }
        // A page that two segments share has the second one's protection.
        let isShared = mappings.contains { $0.addresses.contains(entry) }
        return code || isShared ? nil : "entry outside the mappings"
    }

    private static func brokenPromise(
        _ mapping: Mapping,
        after end: UInt64,
        _ fileSize: UInt64,
        _ limits: AddressLimits
    ) -> String? {
        let range = mapping.addresses
        guard range.lowerBound % 4096 == 0, range.upperBound % 4096 == 0, !range.isEmpty else {
            return "mapping of no whole pages"
        }
        guard range.lowerBound >= end else { return "mappings do not ascend" }
        guard !range.overlaps(limits.kernel) else { return "mapping over the kernel" }
        guard mapping.zeroFill.isEmpty || mapping.zeroFill.upperBound == range.upperBound else {
            return "zero fill is not the mapping's end"
        }
        guard mapping.zeroFill.count < 4096 else { return "zero fill of a page" }
        guard case .file(let offset) = mapping.source else { return nil }
        guard offset % 4096 == 0 else { return "file offset of no whole page" }
        let pages = UInt64(range.count) / 4096
        guard offset / 4096 + pages <= (fileSize + 4095) / 4096 else {
            return "mapping of pages that the file does not have"
        }
        return nil
    }
}
